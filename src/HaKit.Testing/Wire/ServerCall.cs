using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace HaKit.Testing.Wire;

/// <summary>One request on a real connection. It executes the reply step by step.</summary>
internal sealed class ServerCall(Backend backend, HttpContext context)
{
    private const int Serving = 0;
    private const int Finishing = 1;
    private const int Killed = 2;

    private int _state;

    private CancellationToken Aborted => context.RequestAborted;

    /// <summary>
    /// Resets the connection. If the last bytes of the answer were already sent, the connection is not reset, because the client receives them.
    /// </summary>
    public void Kill()
    {
        if (Interlocked.CompareExchange(ref _state, Killed, Serving) == Serving)
            context.Abort();
    }

    public async Task ServeAsync()
    {
        Reply? reply = null;
        try
        {
            reply = backend.Answer(await ReadAsync().ConfigureAwait(false));
            await AnswerAsync(reply).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // The client or the server closed the connection. The outcome is recorded below.
        }
        finally
        {
            reply?.RecordOutcome(clientLeft: Aborted.IsCancellationRequested && _state != Killed);
            reply?.Dispose();
        }
    }

    private async Task AnswerAsync(Reply reply)
    {
        await Waits.DelayAsync(reply.Time, reply.Remaining(reply.HeadersDue), Aborted).ConfigureAwait(false);
        if (reply.IsSilent)
            await Waits.ForEver(Aborted).ConfigureAwait(false);
        if (reply.ToException() is not null)
        {
            Reset(reply);
            return;
        }

        WriteHeaders(reply);
        await context.Response.StartAsync(Aborted).ConfigureAwait(false);
        while (reply.Steps.MoveNext())
        {
            var step = reply.Steps.Current;
            if (reply.Remaining(step.Due) > TimeSpan.Zero)
            {
                await context.Response.BodyWriter.FlushAsync(Aborted).ConfigureAwait(false);
                await Waits.DelayAsync(reply.Time, reply.Remaining(step.Due), Aborted).ConfigureAwait(false);
            }

            if (!await CarryOutAsync(reply, step).ConfigureAwait(false))
                return;
        }
    }

    /// <returns>True if the answer continues.</returns>
    private async ValueTask<bool> CarryOutAsync(Reply reply, Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Bytes when !step.IsFinal:
                context.Response.BodyWriter.Write(step.Bytes.Span);
                reply.Delivered(step);
                return true;
            case StepKind.Bytes:
                if (Aborted.IsCancellationRequested || Interlocked.CompareExchange(ref _state, Finishing, Serving) != Serving)
                    return false;
                // The answer is counted before it is sent, so that the count is correct when the client has the answer.
                reply.Delivered(step);
                reply.RecordOutcome(clientLeft: false);
                // The statuses 204, 205 and 304 have no body, and the server refuses even an empty write.
                if (step.Bytes.Length > 0)
                    await context.Response.BodyWriter.WriteAsync(step.Bytes, Aborted).ConfigureAwait(false); // CompleteAsync would send no data after an empty flush
                await context.Response.CompleteAsync().ConfigureAwait(false);
                return false;
            case StepKind.Reset:
                await context.Response.BodyWriter.FlushAsync(Aborted).ConfigureAwait(false);
                Reset(reply);
                return false;
            case StepKind.Silence:
                await context.Response.BodyWriter.FlushAsync(Aborted).ConfigureAwait(false);
                await Waits.ForEver(Aborted).ConfigureAwait(false);
                return false;
            default:
                reply.RecordOutcome(clientLeft: false);
                await context.Response.CompleteAsync().ConfigureAwait(false);
                return false;
        }
    }

    private void Reset(Reply reply)
    {
        reply.RecordOutcome(clientLeft: false);
        context.Abort();
    }

    private void WriteHeaders(Reply reply)
    {
        reply.Start();
        var response = context.Response;
        response.StatusCode = reply.Status;
        response.ContentType = reply.ContentType;
        response.ContentLength = reply.Length;
        if (reply.Length is null)
            response.Headers.CacheControl = "no-cache";
        foreach (var header in reply.Headers)
            response.Headers[header.Key] = header.Value;
    }

    private async ValueTask<FakeRequest> ReadAsync()
    {
        var request = context.Request;
        var headers = new Dictionary<string, string>(request.Headers.Count, StringComparer.OrdinalIgnoreCase);
        foreach (var header in request.Headers)
            headers[header.Key] = header.Value.ToString();
        var body = new MemoryStream((int)Math.Min(request.ContentLength ?? 0, int.MaxValue / 2));
        await request.Body.CopyToAsync(body, Aborted).ConfigureAwait(false);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var mark ? mark : target.Length;
        return await RequestReader.ReadAsync(request.Method, target[..query], target[query..], headers, body.GetBuffer().AsMemory(0, (int)body.Length)).ConfigureAwait(false);
    }
}
