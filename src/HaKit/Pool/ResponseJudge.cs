using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Pool;

/// <summary>
/// Judges the HTTP responses that a callback of the application's returns, because a 503 that is returned as a result would count as served. It looks at the
/// status and, of a refusal, at the body, as far as that arrives within a second. A fault that the callback has reported itself stands. Thread-safe.
/// </summary>
internal sealed class ResponseJudge(IFaultClassifier classifier, PoolClock clock)
{
    private const int MostBytes = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The same callback, and where its results are HTTP responses, with each of them judged.</summary>
    public Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> Around<TState, TResult>(
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        return typeof(TResult) == typeof(HttpResponseMessage) ? Judged(callback) : callback;
    }

    // Apart, because a method with a lambda allocates what it captures before anything else.
    private Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> Judged<TState, TResult>(
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        var inner = (Func<EndpointAttempt, TState, CancellationToken, ValueTask<HttpResponseMessage>>)(object)callback;
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<HttpResponseMessage>> judged =
            (attempt, state, token) => JudgeAsync(attempt, inner(attempt, state, token), token);
        return (Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>>)(object)judged;
    }

    private async ValueTask<HttpResponseMessage> JudgeAsync(EndpointAttempt attempt, ValueTask<HttpResponseMessage> task, CancellationToken token)
    {
        var response = await task.ConfigureAwait(false);
        // A redirect was left for the application by its own client: it may be what the application wants.
        if (response is null || (int)response.StatusCode < 400 || attempt.Lease.Declared is not null)
        {
            return response!;
        }
        try
        {
            var body = await ReadAsync(response, token).ConfigureAwait(false);
            if (classifier.Classify(EvidenceOf(attempt, response, body)) is { } fault)
            {
                attempt.ReportFault(fault);
            }
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private FaultEvidence EvidenceOf(EndpointAttempt attempt, HttpResponseMessage response, ReadOnlyMemory<byte> body) => new()
    {
        StatusCode = (int)response.StatusCode,
        Headers = response.Headers,
        Body = body,
        Dialect = attempt.Endpoint.Dialect,
        Request = KindOf(attempt.Lease.Request, response.RequestMessage),
        Now = clock.Time.GetUtcNow(),
    };

    // Only a POST creates an answer; of a POST nothing is known but what the profile says.
    private static RequestKind KindOf(RequestKind told, HttpRequestMessage? request) =>
        told == RequestKind.Unknown && request is not null && request.Method != HttpMethod.Post ? RequestKind.Other : told;

    // A body that does not arrive must not hold the call: the status and the headers are enough to classify a refusal. The caller then finds none.
    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, CancellationToken token)
    {
        var content = response.Content;
        try
        {
            await content.LoadIntoBufferAsync(MostBytes, token).WaitAsync(Patience, clock.Time, token).ConfigureAwait(false);
            return await content.ReadAsByteArrayAsync(token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException or InvalidOperationException && !token.IsCancellationRequested)
        {
            response.Content = new ByteArrayContent([]);
            content.Dispose();
            return default;
        }
    }
}
