using System.Collections.Concurrent;
using System.Globalization;

namespace HaKit.Testing.Wire;

/// <summary>Creates a fake's replies independently of the transport: answers, refusals and faults. Thread-safe.</summary>
internal sealed class Backend(FakeAiOptions options)
{
    public FakeAiOptions Options => options;

    public FaultScript Faults { get; } = new(options.Time, options.Seed);

    public Tally Tally { get; } = new();

    public FakeLoad Load { get; } = new();

    private static int s_backends;

    /// <summary>The number in the ids of this fake's stored objects, which distinguishes them from the objects of other fakes.</summary>
    private readonly int _store = Interlocked.Increment(ref s_backends);

    private readonly ConcurrentDictionary<string, bool> _responses = new(StringComparer.Ordinal);

    /// <summary>Gets whether paths that no provider has are answered with 404. False for a fake in memory, which serves all paths.</summary>
    public bool ChecksPaths { get; init; }

    public Reply Answer(FakeRequest request)
    {
        var number = Tally.BeginRequest(request);
        try
        {
            options.Observe?.Invoke(request);
            return Answer(request, Faults.ChooseFault(request), number);
        }
        catch
        {
            // A custom observer or rule of the test threw an exception. The request was counted as started, so it must be counted as ended.
            Tally.RecordOutcome(request, Outcome.Failed, 0, 0);
            throw;
        }
    }

    private Reply Answer(FakeRequest request, FakeFault fault, long number)
    {
        var reply = Plan(request, fault, number);
        reply.Headers.Add(new("x-fake-endpoint", options.Name));
        reply.Headers.Add(new(request.IsAnthropic ? "request-id" : "x-request-id", $"req_{number.ToString(CultureInfo.InvariantCulture)}"));
        foreach (var header in fault.Headers)
        {
            reply.Headers.RemoveAll(h => string.Equals(h.Key, header.Key, StringComparison.OrdinalIgnoreCase));
            reply.Headers.Add(header);
        }

        return reply;
    }

    private Reply Plan(FakeRequest request, FakeFault fault, long number)
    {
        if (fault.Exception is not null || fault.Ending?.Kind == FakeEndingKind.Hang)
            return new(request, fault, Tally, options.Time) { HeadersDue = fault.ToHeaders };
        if (fault.Reply is { } canned)
            return Canned(request, fault, canned.Status, canned.Body ?? ErrorBodies.Default(request.IsAnthropic, canned.Status), canned.ContentType);
        if ((ChecksPaths && !RequestReader.IsServed(request.Path) ? Refusals.NotFound(request) : Refusals.FindRefusal(request, options)) is { } refusal)
            return Canned(request, fault, refusal.Status, refusal.Body, "application/json");
        if (request.PreviousResponse is { } previous && !_responses.ContainsKey(previous))
            return Canned(request, fault, 400, Refusals.NoSuchResponse(previous), "application/json");
        return request.Operation is FakeOperation.Chat or FakeOperation.Messages or FakeOperation.Responses or FakeOperation.OllamaChat
            ? Chat(request, fault, new(request, number, options.Time.GetUtcNow(), fault.Finish, options.Continuation) { Id = Store(request, number) })
            : Single(request, fault, Results.WriteResult(request, this), request.Operation == FakeOperation.Metrics ? "text/plain; version=0.0.4" : "application/json", 0);
    }

    // The id is stored even if the response fails before its end, as at real providers.
    private string Store(FakeRequest request, long number)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"resp_{_store}_{number}");
        if (request.Operation == FakeOperation.Responses)
            _responses[id] = true;
        return id;
    }

    private Reply Chat(FakeRequest request, FakeFault fault, ChatReply chat)
    {
        var dialect = Dialect.ForRequest(request);
        if (!request.Stream)
            return Single(request, fault, dialect.WriteWhole(chat), "application/json", chat.Pieces.Count);
        var error = fault.Ending?.Json ?? ErrorBodies.Default(request.IsAnthropic, 500);
        return new(request, fault, Tally, options.Time)
        {
            Status = 200,
            ContentType = dialect.StreamType,
            HeadersDue = fault.ToHeaders,
            IsGood = fault.Ending is null,
            Steps = BodySteps.Stream(dialect, chat, fault, error).GetEnumerator(),
        };
    }

    private Reply Single(FakeRequest request, FakeFault fault, byte[] body, string contentType, int tokens)
    {
        if (fault.Ending?.Kind is FakeEndingKind.ErrorEvent or FakeEndingKind.ErrorIn200)
            return Canned(request, fault, 200, fault.Ending.Json ?? ErrorBodies.Default(request.IsAnthropic, 500), "application/json");
        return Body(request, fault, 200, body, contentType, tokens, isGood: fault.Ending is null);
    }

    private Reply Canned(FakeRequest request, FakeFault fault, int status, string body, string contentType) =>
        Body(request, fault, status, ChatReply.Utf8(body), contentType, 0, isGood: false);

    private Reply Body(FakeRequest request, FakeFault fault, int status, byte[] body, string contentType, int tokens, bool isGood)
    {
        var due = fault.ToHeaders;
        if (status < 400 && fault.Ending?.Kind != FakeEndingKind.KeepAlives)
            due += fault.ToFirstToken + fault.PerToken * Math.Max(0, tokens - 1);
        return new(request, fault, Tally, options.Time)
        {
            Status = status,
            ContentType = contentType,
            Length = fault.Ending?.Kind switch
            {
                FakeEndingKind.Empty => 0,
                FakeEndingKind.KeepAlives => null,
                FakeEndingKind.End or FakeEndingKind.Torn or FakeEndingKind.Truncated => body.Length / 2,
                _ => body.Length,
            },
            HeadersDue = due,
            IsGood = isGood,
            Steps = BodySteps.Single(body, tokens, fault, due).GetEnumerator(),
        };
    }
}
