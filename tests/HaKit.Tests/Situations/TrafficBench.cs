using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;

namespace HaKit.Tests.Situations;

/// <summary>
/// A pool in virtual time whose endpoints answer, refuse or stay silent, and traffic at any rate. The bench records each call and each request that reached an
/// endpoint.
/// </summary>
internal sealed class TrafficBench : IDisposable
{
    private readonly Dictionary<string, Func<Reaction>> _reactions = [];

    /// <param name="endpoints">The names of the endpoints, separated by spaces.</param>
    /// <param name="configure">Changes the options. Null: the defaults, with a seed and without heartbeats.</param>
    /// <param name="probe">Gets the fault of a probe of the named endpoint; null: success. Null: no heartbeats.</param>
    public TrafficBench(string endpoints, Action<EndpointPoolOptions>? configure = null, Func<string, Fault?>? probe = null)
    {
        Options.Heartbeat.Enabled = probe is not null;
        foreach (var name in endpoints.Split(' '))
            Options.Endpoints.Add(new EndpointOptions { Name = name, Address = $"https://{name}.test/v1" });
        configure?.Invoke(Options);
        var parts = new EndpointPoolParts { TimeProvider = Time };
        if (probe is not null)
            parts.Probe = _ => new DelegateProbe((context, _) => new(new ProbeResult(probe(context.Endpoint.Name))));
        Pool = new EndpointPool("p", Options, parts);
    }

    /// <summary>What an endpoint does with one request. It returns the fault of its answer; null: a good answer.</summary>
    public delegate Task<Fault?> Reaction(CancellationToken token);

    public ManualTimeProvider Time { get; } = new();

    public EndpointPoolOptions Options { get; } = new() { Seed = 1 };

    public EndpointPool Pool { get; }

    public List<Request> Sent { get; } = [];

    public List<Row> Rows { get; } = [];

    public double Now => Time.Elapsed.TotalSeconds;

    public HealthState this[string endpoint] => Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == endpoint).Health;

    /// <summary>Sets the reaction of each of the named endpoints; no name: of all endpoints.</summary>
    public void Let(Func<Reaction> reaction, params string[] endpoints)
    {
        foreach (var name in endpoints.Length > 0 ? endpoints : Options.Endpoints.Select(static e => e.Name))
            _reactions[name!] = reaction;
    }

    public Reaction Answer(double seconds) => async token =>
    {
        await Task.Delay(Span(seconds), Time, token).ConfigureAwait(false);
        return null;
    };

    public Reaction Refuse(FaultKind kind, double? retryAfter = null, int status = 0) => async token =>
    {
        await Task.Delay(Span(0.02), Time, token).ConfigureAwait(false);
        return new Fault(kind) { RetryAfter = retryAfter is { } named ? Span(named) : null, StatusCode = status };
    };

    public Reaction Hang() => static async token =>
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, token).ConfigureAwait(false);
        return null;
    };

    /// <summary>Begins one call.</summary>
    /// <param name="leavesAfter">The time after which the caller cancels. Null: never.</param>
    /// <param name="profile">The profile. Null: the default.</param>
    /// <param name="stream">True for a stream.</param>
    /// <param name="special">The reaction of every endpoint to this call. Null: the reactions of <see cref="Let"/>.</param>
    public Row Begin(double? leavesAfter = null, RequestProfile? profile = null, bool stream = false, Reaction? special = null)
    {
        var row = new Row { Began = Now };
        Rows.Add(row);
        _ = RunAsync(row, leavesAfter, profile ?? RequestProfile.Default, stream, special);
        return row;
    }

    /// <summary>Begins calls at a constant rate.</summary>
    public Row[] Traffic(double seconds, double perSecond, double? leavesAfter = null, RequestProfile? profile = null, bool stream = false)
    {
        var rows = new Row[Math.Max(1, (int)Math.Round(seconds * perSecond))];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = Begin(leavesAfter, profile, stream);
            Time.Advance(Span(1 / perSecond));
        }

        return rows;
    }

    public void Advance(double seconds) => Time.Advance(Span(seconds));

    public void Dispose() => Time.Run(() => Pool.DisposeAsync().AsTask());

    private static TimeSpan Span(double seconds) => TimeSpan.FromSeconds(seconds);

    private async Task RunAsync(Row row, double? leavesAfter, RequestProfile profile, bool stream, Reaction? special)
    {
        using var leaves = leavesAfter is { } time ? new CancellationTokenSource(Span(time), Time) : new CancellationTokenSource();
        try
        {
            if (stream)
            {
                await using var answer = await Pool.StreamAsync(profile, (Bench: this, special), static (attempt, state, token) => ValueTask.FromResult(state.Bench.ItemsAsync(attempt, state.special, token)), new Items(), null, leaves.Token).ConfigureAwait(false);
                row.Endpoint = answer.Detail.Endpoint;
                row.Ended = Now;
                await foreach (var _ in answer)
                {
                }
            }
            else
            {
                var answer = await Pool.ExecuteWithDetailAsync(profile, (Bench: this, special), static async (attempt, state, token) =>
                {
                    if (await state.Bench.ReactAsync(attempt, state.special, token).ConfigureAwait(false) is { } fault)
                        attempt.ReportFault(fault);
                    return 0;
                }, leaves.Token).ConfigureAwait(false);
                row.Endpoint = answer.Detail.Endpoint;
            }

            row.IsServed = true;
        }
        catch (Exception e) when (e is EndpointPoolException or OperationCanceledException)
        {
            row.Error = e;
        }

        row.Ended ??= Now;
    }

    private Task<Fault?> ReactAsync(EndpointAttempt attempt, Reaction? special, CancellationToken token)
    {
        Sent.Add(new(attempt.Endpoint.Name, Now, special is not null));
        return (special ?? _reactions[attempt.Endpoint.Name]())(token);
    }

    private async IAsyncEnumerable<string> ItemsAsync(EndpointAttempt attempt, Reaction? special, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        if (await ReactAsync(attempt, special, token).ConfigureAwait(false) is { } fault)
            throw new EndpointFaultException(attempt.Endpoint.Name, fault);
        yield return "word";
        yield return ".";
    }

    internal sealed class Row
    {
        public double Began { get; init; }

        public double? Ended { get; set; }

        public bool IsServed { get; set; }

        public string Endpoint { get; set; } = "";

        public Exception? Error { get; set; }

        public double Took => (Ended ?? double.NaN) - Began;
    }

    internal readonly record struct Request(string Endpoint, double At, bool IsSpecial);

    private sealed class Items : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item == "." ? StreamSignal.End : StreamSignal.Content;
    }
}

internal static class Rows
{
    /// <summary>Gets the share of the calls that were served.</summary>
    public static double Served(this IReadOnlyCollection<TrafficBench.Row> rows) => rows.Count(static r => r.IsServed) / (double)rows.Count;

    /// <summary>Gets the longest time of a call that has ended.</summary>
    public static double Longest(this IReadOnlyCollection<TrafficBench.Row> rows) => rows.Max(static r => r.Took);
}
