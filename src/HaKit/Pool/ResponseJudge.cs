using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Pool;

/// <summary>
/// Classifies the HTTP responses that the application's callback returns; otherwise a returned 503 would count as served. It uses the status. For a refusal it
/// also uses the body, if the body arrives within a second. A fault that the callback has reported takes precedence. Thread-safe.
/// </summary>
internal sealed class ResponseJudge(IFaultClassifier classifier, PoolClock clock)
{
    private const int MostBytes = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Gets the callback. If its results are HTTP responses, each of them is classified.</summary>
    public Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> Around<TState, TResult>(
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        return typeof(TResult) == typeof(HttpResponseMessage) ? Judged(callback) : callback;
    }

    // This is a separate method, because a method with a lambda allocates the captured variables at its start.
    private Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> Judged<TState, TResult>(
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        var inner = (Func<EndpointAttempt, TState, CancellationToken, ValueTask<HttpResponseMessage>>)(object)callback;
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<HttpResponseMessage>> judged =
            (attempt, state, token) => ExamineAsync(attempt, inner(attempt, state, token), token);
        return (Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>>)(object)judged;
    }

    private async ValueTask<HttpResponseMessage> ExamineAsync(EndpointAttempt attempt, ValueTask<HttpResponseMessage> task, CancellationToken token)
    {
        var response = await task.ConfigureAwait(false);
        // A redirect is not a fault, because the application's own client has not followed it, so the application may handle it.
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

    // Only a POST creates an answer. The kind of answer that a POST requests is known only from the profile.
    private static RequestKind KindOf(RequestKind told, HttpRequestMessage? request) =>
        told == RequestKind.Unknown && request is not null && request.Method != HttpMethod.Post ? RequestKind.Other : told;

    // A body that does not arrive must not delay the call: status and headers are enough to classify a refusal. The caller then gets no body.
    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, CancellationToken token)
    {
        var content = response.Content;
        try
        {
            await content.LoadIntoBufferAsync(MostBytes, token).WaitAsync(Patience, clock.Time, token).ConfigureAwait(false);
            return await content.ReadAsByteArrayAsync(token).ConfigureAwait(false);
        }
        // The body may be truncated or late. Or its Content-Encoding may be wrong; each decoder throws another exception then. The status is known all the same.
#pragma warning disable CA1031 // The application's own handlers may throw anything.
        catch (Exception) when (!token.IsCancellationRequested)
#pragma warning restore CA1031
        {
            response.Content = new ByteArrayContent([]);
            content.Dispose();
            return default;
        }
    }
}
