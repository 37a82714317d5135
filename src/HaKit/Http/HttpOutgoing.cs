using HaKit.Attempts;

namespace HaKit.Http;

/// <summary>What an attempt's requests have in common: the first one and those that follow its redirects.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Target">What requests need on its endpoint.</param>
/// <param name="Secret">What the endpoint is asked with at this moment; null for nothing beside its headers and its address.</param>
/// <param name="WithCredential">Do the caller's credentials go along?</param>
internal readonly record struct HttpOutgoing(EndpointAttempt Attempt, HttpTarget Target, string? Secret, bool WithCredential);

/// <summary>Sends one attempt's message.</summary>
internal delegate Task<HttpResponseMessage> HttpSend(HttpRequestMessage message, EndpointAttempt attempt, CancellationToken token);
