using HaKit.Testing;
using HaKit.Tests.Options;

namespace HaKit.Testing.Tests;

/// <summary>Each extreme number of a drill or of a simulation is refused by name, or the run ends with it.</summary>
public sealed class NumberTests
{
    public static TheoryData<string> OfDrills => [.. NumberSetting.FindAll(OptionsOfDrill()).Select(static s => s.Path).Where(static p => p != "Seed" && !p.StartsWith("Faults:", StringComparison.Ordinal))];

    private static readonly double[] s_numbers = [double.NaN, -double.NaN, double.NegativeInfinity, -1, 0, double.Epsilon, 1e-6, 1e6, 1e300, double.MaxValue, double.PositiveInfinity];

    private static readonly TimeSpan[] s_times = [TimeSpan.MinValue, TimeSpan.FromTicks(-1), TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.FromDays(30), TimeSpan.FromDays(50), TimeSpan.MaxValue];

    private static readonly string[] s_trace = ["2023-11-16 18:15:47.000,10,10", "2023-11-16 18:15:48.000,10,10"];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfDrills))]
    public async Task A_drill_refuses_an_extreme_number_by_name_or_runs(string name)
    {
        await Task.CompletedTask;
        var setting = NumberSetting.FindAll(OptionsOfDrill()).Single(s => s.Path == name);
        foreach (var value in setting.Extremes())
        {
            var options = OptionsOfDrill();
            setting.Set(options, value);
            if (MessageOf(options.Validate) is { } refused)
            {
                refused.Should().Contain($"{name} is {NumberSetting.Shown(value)}: ").And.Contain(" is needed");
                continue;
            }
            HaDrill.Run(HaDrillTests.Application(), "chat", o =>
            {
                o.Faults = [DrillFaults.Refused];
                setting.Set(o, value);
            }).Rows.Should().NotBeEmpty();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_fault_of_a_drill_refuses_a_length_that_is_no_time()
    {
        await Task.CompletedTask;
        foreach (var factor in s_numbers.Where(static n => n is not (1e-6 or 1e6)))
            FluentActions.Invoking(() => new DrillFault("slow", "slow", static _ => []) { LengthFactor = factor }).Should().Throw<ArgumentOutOfRangeException>();
        foreach (var length in s_times.Where(static t => t <= TimeSpan.Zero || t > TimeSpan.FromDays(30)))
            DrillFaults.Refused.Invoking(f => f.Steps(length)).Should().Throw<ArgumentOutOfRangeException>();
    }

    public static TheoryData<string> OfNumbers => ["Steady", "Poisson", "Repeated", "Trace", "Tokens", "prefill", "FirstContentAfter", "Times", "Sharing", "Slow", "Streams"];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfNumbers))]
    public async Task A_simulation_refuses_an_extreme_number_or_ends(string name)
    {
        await Task.CompletedTask;
        foreach (var number in s_numbers)
        {
            Run(name, number, () => name switch
            {
                "Steady" => Simulate(workload: Workload.Steady(number), seconds: 1e-4),
                "Poisson" => Simulate(workload: Workload.Poisson(number), seconds: 1e-4),
                "Repeated" => Simulate(workload: Workload.Trace(s_trace).Repeated(number), seconds: 1e-4),
                "Trace" => Simulate(workload: Workload.Trace(s_trace, number)),
                "Tokens" => Simulate(ServiceModel.Tokens(1000, number)),
                "prefill" => Simulate(ServiceModel.Tokens(number, 50)),
                "FirstContentAfter" => Simulate(Model.FirstContentAfter(number)),
                "Times" => Simulate(Model.Times(number)),
                "Sharing" => Simulate(Model.Sharing(number)),
                "Slow" => Simulate(change: s => s.Slow("e0", number)),
                _ => Simulate(change: s => s.Streams(number)),
            });
        }
    }

    public static TheoryData<string> OfTimes => ["Fixed", "Exponential", "median", "p99", "warming", "after", "Bursts", "Latency", "KeepAlives"];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfTimes))]
    public async Task A_simulation_refuses_an_extreme_time_or_ends(string name)
    {
        await Task.CompletedTask;
        foreach (var time in s_times)
        {
            Run(name, time, () => name switch
            {
                "Fixed" => Simulate(ServiceModel.Fixed(time)),
                "Exponential" => Simulate(ServiceModel.Exponential(time)),
                "median" => Simulate(ServiceModel.LogNormal(time, TimeSpan.FromDays(30))),
                "p99" => Simulate(ServiceModel.LogNormal(TimeSpan.FromTicks(1), time)),
                "warming" => Simulate(Model.ColdStart(time, TimeSpan.FromSeconds(1))),
                "after" => Simulate(Model.ColdStart(TimeSpan.FromSeconds(1), time)),
                "Bursts" => Simulate(workload: Workload.Bursts(2, time), seconds: 1e-4),
                "Latency" => Simulate(change: s => s.Fault("e0", FakeFault.Latency(time, time, time))),
                _ => Simulate(change: s => s.Streams(1).Fault("e0", FakeFault.KeepAlives(time), until: TimeSpan.FromSeconds(1))),
            });
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_fleet_refuses_an_extreme_number_by_name_or_runs()
    {
        await Task.CompletedTask;
        foreach (var count in (int[])[int.MinValue, -1, 0, 1, 1001, int.MaxValue])
        {
            RefusedOr("endpoints", count is 1, () => new Fleet(1, count).Dispose());
            RefusedOr("replicas", count is 1 or 1001, () => new Fleet(count, 1).Dispose());
        }
        foreach (var time in s_times)
        {
            var isShort = time >= TimeSpan.Zero && time < TimeSpan.FromHours(1);
            RefusedOr("length", isShort, () => RunFleet(length: time), isTooLong: time > TimeSpan.FromDays(3650));
            RefusedOr("Delay", isShort, () => RunFleet(s => s.Delay = time));
            RefusedOr("Jitter", isShort, () => RunFleet(s => s.Jitter = time));
            RefusedOr("by", time > TimeSpan.FromDays(-3650) && time < TimeSpan.FromDays(3650), () => RunFleet(s => s.JumpClock(time)));
            RefusedOr("clockOff", time > TimeSpan.FromDays(-3650) && time < TimeSpan.FromDays(3650), () => RunFleet(s => s.FailOver(time)));
            RunFleet(change: f => f.Fault("e0", FakeFault.Refused, from: time));
            RunFleet(change: f => f.Fault("e0", FakeFault.Refused, until: time));
        }
        foreach (var number in s_numbers)
        {
            var isShare = number is >= 0 and <= 1;
            RefusedOr("Loss", isShare, () => RunFleet(s => s.Loss = number));
            RefusedOr("Duplication", isShare, () => RunFleet(s => s.Duplication = number));
            RefusedOr("share", isShare, () => RunFleet().Latency(number));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_rule_for_a_fault_refuses_an_extreme_number_by_name_or_applies()
    {
        await Task.CompletedTask;
        foreach (var number in s_numbers)
            RefusedOr("Probability", number is >= 0 and <= 1, () => Apply(new FaultRule(FakeFault.Refused) { Probability = number }));
        foreach (var count in (int[])[int.MinValue, -1, 0, 1, int.MaxValue])
            RefusedOr("Count", count >= 0, () => Apply(new FaultRule(FakeFault.Refused) { Count = count }));
        foreach (var from in s_times)
        {
            foreach (var until in s_times)
                RefusedOr("Until", until >= from, () => Apply(new FaultRule(FakeFault.Refused) { From = from, Until = until }));
        }
        foreach (var length in (int[])[int.MinValue, -1, 0, 1, int.MaxValue])
            RefusedOr("Dimensions", length is 1, () => _ = new FakeEmbeddingGenerator("e") { Dimensions = length });
        foreach (var time in s_times.Where(static t => t < TimeSpan.Zero || t == TimeSpan.MaxValue))
            RefusedOr("length", false, () => new Simulation().Endpoints(2, Model).Run(Workload.Steady(2), time));

        static void Apply(FaultRule rule)
        {
            var time = new ManualTimeProvider();
            var script = new FaultScript(time);
            script.Add(rule);
            for (var i = 0; i < 3; i++)
            {
                script.ChooseFault(new FakeRequest(FakeOperation.Chat));
                time.Advance(TimeSpan.FromDays(20));
            }
        }
    }

    private static FleetResult RunFleet(Action<VirtualStore>? store = null, Action<Fleet>? change = null, TimeSpan? length = null)
    {
        using var fleet = new Fleet(2, 2);
        store?.Invoke(fleet.Store);
        change?.Invoke(fleet);
        return fleet.Run(Workload.Steady(2), length ?? TimeSpan.FromSeconds(3));
    }

    private static void RefusedOr(string name, bool isAccepted, Action act, bool isTooLong = false)
    {
        if (isAccepted)
            act.Should().NotThrow(name);
        else if (name != "length" || isTooLong)
            act.Should().Throw<ArgumentOutOfRangeException>().Which.Message.Should().Contain(name);
    }

    private static ServiceModel Model => ServiceModel.LogNormal(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));

    private static HaDrillOptions OptionsOfDrill() => new() { MaxAddedDelay = TimeSpan.FromSeconds(5) };

    private static SimulationResult Simulate(ServiceModel? model = null, Workload? workload = null, Func<Simulation, Simulation>? change = null, double seconds = 5)
    {
        var simulation = new Simulation().Endpoints(2, model ?? Model);
        return (change?.Invoke(simulation) ?? simulation).Run(workload ?? Workload.Steady(2), TimeSpan.FromSeconds(seconds));
    }

    // A refusal is an exception of the argument. The run itself may lose calls, but it may not throw.
    private static void Run(string name, object value, Func<SimulationResult> run)
    {
        try
        {
            run().Unfinished.Should().BeGreaterThanOrEqualTo(0);
        }
        catch (ArgumentOutOfRangeException refused)
        {
            refused.StackTrace.Should().NotContain("SimulationRun", "{0} of {1} is refused before the run", name, value);
        }
    }

    private static string? MessageOf(Action validate)
    {
        try
        {
            validate();
            return null;
        }
        catch (ArgumentException refused)
        {
            return refused.Message;
        }
    }
}
