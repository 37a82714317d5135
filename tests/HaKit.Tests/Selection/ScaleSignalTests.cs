using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests.Selection;

public sealed class ScaleSignalTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private readonly List<TaskCompletionSource<int>> _calls = [];

    private EndpointPool Pool(Action<EndpointPoolOptions> configure, params EndpointOptions[] endpoints)
    {
        var options = new EndpointPoolOptions { Seed = 1, Endpoints = endpoints };
        configure(options);
        return new EndpointPool("test", options, new EndpointPoolParts { TimeProvider = _time });
    }

    private void Call(EndpointPool pool, int count)
    {
        for (; count > 0; count--)
        {
            var answer = new TaskCompletionSource<int>();
            _calls.Add(answer);
            _ = pool.ExecuteAsync(answer, static (_, answer, _) => new ValueTask<int>(answer.Task), Ct).AsTask();
        }
    }

    [Fact]
    public async Task Load_is_measured_by_limits_and_by_the_target()
    {
        await using var pool = Pool(
            o => o.Scale.TargetInFlight = 4,
            new EndpointOptions { Name = "a", Limits = new LimitOptions { MaxConcurrency = 2 } }, new EndpointOptions { Name = "b" });
        pool.MeasureLoad().Should().BeEquivalentTo(new { InFlight = 0, Waiting = 0, Utilization = 0.0, WantedEndpoints = 1, QueueWait = TimeSpan.Zero });
        Call(pool, 4);
        var signal = pool.MeasureLoad();
        signal.InFlight.Should().Be(4);
        var (a, b) = (signal.Endpoints[0], signal.Endpoints[1]);
        a.Utilization.Should().Be(a.InFlight / 2.0);
        b.Utilization.Should().Be(b.InFlight / 4.0);
        signal.Utilization.Should().Be((a.Utilization + b.Utilization) / 2);
        signal.WantedEndpoints.Should().Be((int)Math.Ceiling((a.Utilization!.Value + b.Utilization!.Value) / 0.7));
    }

    [Fact]
    public async Task Without_anything_to_measure_by_there_is_no_number()
    {
        await using var pool = Pool(_ => { }, new EndpointOptions { Name = "a" });
        Call(pool, 3);
        var signal = pool.MeasureLoad();
        signal.Utilization.Should().BeNull();
        signal.WantedEndpoints.Should().BeNull();
        signal.InFlight.Should().Be(3);
    }

    [Fact]
    public async Task Waiting_calls_count_as_demand_and_the_queue_as_time()
    {
        await using var pool = Pool(o => o.Scale.TargetUtilization = 1, new EndpointOptions { Name = "a", Limits = new LimitOptions { MaxConcurrency = 4 } });
        Call(pool, 10);
        var signal = pool.MeasureLoad();
        (signal.InFlight, signal.Waiting, signal.WantedEndpoints).Should().Be((4, 6, 3));
        for (var second = 0; second < 2; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _calls[second].SetResult(0);
        }
        signal = pool.MeasureLoad();
        signal.Waiting.Should().Be(4);
        signal.QueueWait.Should().Be(TimeSpan.FromSeconds(4), "one answer a second");
    }

    [Fact]
    public async Task A_change_of_the_wanted_number_is_an_event()
    {
        await using var pool = Pool(o => (o.Scale.TargetInFlight, o.Scale.Interval) = (2, TimeSpan.FromSeconds(10)), new EndpointOptions { Name = "a" });
        using var events = pool.Events.Subscribe();
        _time.Advance(TimeSpan.FromSeconds(10));
        Call(pool, 6);
        _time.Advance(TimeSpan.FromSeconds(30));
        var wanted = new List<int?>();
        await foreach (var happened in events)
        {
            if (happened is ScaleChanged change)
                wanted.Add(change.Signal.WantedEndpoints);
            if (wanted.Count == 2)
                break;
        }
        wanted.Should().Equal(1, 5);
    }
}
