using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tests.Heartbeats;

/// <summary>Creates a pool in virtual time whose endpoints answer probes as the test says.</summary>
internal sealed class HeartbeatBench : IAsyncDisposable
{
    private static readonly Fault Refused = new(FaultKind.ServerError) { StatusCode = 500 };

    public HeartbeatBench(int endpoints = 1, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null, Func<IProbe, IProbe>? wrap = null)
    {
        Options = new EndpointPoolOptions { Seed = 7, Selection = { Preset = SelectionPreset.RoundRobin } };
        for (var i = 0; i < endpoints; i++)
            Options.Endpoints.Add(new EndpointOptions { Name = ((char)('a' + i)).ToString(), Address = $"http://10.0.0.{i + 1}/v1" });
        configure?.Invoke(Options);
        var made = new EndpointPoolParts { TimeProvider = Time };
        var probe = new DelegateProbe(AskAsync);
        made.Probe = _ => wrap?.Invoke(probe) ?? probe;
        parts?.Invoke(made);
        Pool = new EndpointPool("test", Options, made);
    }

    public ManualTimeProvider Time { get; } = new();

    public EndpointPoolOptions Options { get; }

    public EndpointPool Pool { get; }

    /// <summary>The time and the endpoint of each probe.</summary>
    public List<(string Endpoint, TimeSpan At)> Asked { get; } = [];

    /// <summary>The answers of the endpoints to probes. Default: success.</summary>
    public Dictionary<string, Func<CancellationToken, ValueTask<ProbeResult>>> Answers { get; } = [];

    public static ValueTask<ProbeResult> Down(CancellationToken cancellationToken) => new(new ProbeResult(Refused));

    public static async ValueTask<ProbeResult> Hang(CancellationToken cancellationToken)
    {
        await new TaskCompletionSource().Task;
        return default;
    }

    public static async ValueTask<ProbeResult> Silent(CancellationToken cancellationToken)
    {
        var cancelled = new TaskCompletionSource();
        using var _ = cancellationToken.UnsafeRegister(static c => ((TaskCompletionSource)c!).SetResult(), cancelled);
        await cancelled.Task;
        throw new OperationCanceledException(cancellationToken);
    }

    public HealthState Health(string endpoint) => Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == endpoint).Health;

    public EndpointHealthStatus Status(string endpoint) => Health(endpoint).Status;

    public IEnumerable<TimeSpan> AskedAt(string endpoint) => Asked.Where(a => a.Endpoint == endpoint).Select(a => a.At);

    public void Advance(double seconds) => Time.Advance(TimeSpan.FromSeconds(seconds));

    public ValueTask<string> CallAsync(Func<EndpointAttempt, ValueTask<string>> callback) =>
        Pool.ExecuteAsync(callback, static (attempt, callback, _) => callback(attempt), TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => Pool.DisposeAsync();

    private ValueTask<ProbeResult> AskAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        Asked.Add((context.Endpoint.Name, Time.Elapsed));
        return Answers.TryGetValue(context.Endpoint.Name, out var answer) ? answer(cancellationToken) : default;
    }
}
