using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Holds a tracker with its own clock, for tests. Its methods report evidence, and it collects the changes that the tracker reports.</summary>
internal sealed class HealthBench
{
    /// <param name="options">The health options. Null: the defaults.</param>
    /// <param name="seed">The seed of the jitter.</param>
    /// <param name="alone">False: there is one more endpoint, which always stays healthy.</param>
    public HealthBench(HealthOptions? options = null, int seed = 1, bool alone = false)
    {
        Options = options ?? new HealthOptions();
        Tracker = new HealthTracker(Options, new Random(seed));
        Tracker.Changed += Changes.Add;
        if (!alone)
            Add("another");
    }

    public HealthOptions Options { get; }

    public HealthTracker Tracker { get; }

    public List<HealthChange> Changes { get; } = [];

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(100);

    public EndpointHealth Add(string name, FailureDomains? domains = null) => Tracker.Add(name, domains ?? new FailureDomains(), Now);

    public void Pass(double seconds)
    {
        Now += TimeSpan.FromSeconds(seconds);
        Tracker.Advance(Now);
    }

    public void PassTo(TimeSpan instant)
    {
        Now = instant;
        Tracker.Advance(Now);
    }

    public HealthTicket Begin(EndpointHealth endpoint, BeginMode mode = BeginMode.Normal)
    {
        endpoint.TryBegin(mode, Now, out var ticket).Should().BeTrue($"{endpoint.Name} is {endpoint.State.Status} at {Now}");
        return ticket;
    }

    public bool MayBegin(EndpointHealth endpoint, BeginMode mode) => endpoint.TryBegin(mode, Now, out _);

    public void Fail(EndpointHealth endpoint, Fault fault, int times = 1)
    {
        for (var i = 0; i < times; i++)
            endpoint.Complete(Begin(endpoint), fault, Now);
    }

    public void Fail(EndpointHealth endpoint, FaultKind kind, int times = 1) => Fail(endpoint, new Fault(kind), times);

    public void Succeed(EndpointHealth endpoint, int times = 1)
    {
        for (var i = 0; i < times; i++)
            endpoint.Complete(Begin(endpoint), null, Now);
    }

    public EndpointHealth AddEjected(string name, FailureDomains? domains = null)
    {
        var endpoint = Add(name, domains);
        Fail(endpoint, FaultKind.ServerError, 5);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        return endpoint;
    }

    /// <summary>Adds two endpoints, and ejects the first. The second endpoint is then the last admitted endpoint.</summary>
    public EndpointHealth AddEjectedBeside(out EndpointHealth last)
    {
        var ejected = Add("ejected");
        last = Add("last");
        Fail(ejected, FaultKind.ServerError, 5);
        ejected.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        return ejected;
    }

    public static Fault Throttled(double? retryAfterSeconds = null) => new(FaultKind.Throttled)
    {
        StatusCode = 429,
        RetryAfter = retryAfterSeconds is { } s ? TimeSpan.FromSeconds(s) : null,
    };
}
