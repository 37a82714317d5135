using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>Holds the data that all requests of an attempt share: the first request and the requests that follow its redirects.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Target">The data that requests to the endpoint need.</param>
/// <param name="Secret">The current credential of the endpoint. Null: only its headers and its address have one.</param>
/// <param name="WithCredential">True if the caller's credentials are sent too.</param>
internal readonly record struct HttpOutgoing(EndpointAttempt Attempt, HttpTarget Target, string? Secret, bool WithCredential);

/// <summary>Sends one attempt's message.</summary>
internal delegate Task<HttpResponseMessage> HttpSend(HttpRequestMessage message, EndpointAttempt attempt, CancellationToken token);
