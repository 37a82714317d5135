using System.Net;
using HaKit.Alerts;
using HaKit.Heartbeats;
using HaKit.Recording;
using HaKit.Testing;
using HaKit.Tests.Recording;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Options;

/// <summary>
/// Tests the numbers in settings that are not in a pool's options: alerts, recorders, profiles, probes. Each extreme value is refused by name, or the part works
/// with it.
/// </summary>
public sealed class PartNumberTests : IDisposable
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-numbers-").FullName;

    public static TheoryData<string> OfAlerts => NamesOf(new AlertOptions());

    public static TheoryData<string> OfWebhooks => NamesOf(new WebhookAlertOptions());

    public static TheoryData<string> OfRecorders => NamesOf(new FlightRecorderOptions());

    public static TheoryData<string> OfProfiles => NamesOf(new RequestProfile());

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(OfAlerts))]
    public void Alerts_refuse_an_extreme_number_by_name_or_are_sent(string name) => Check(
        name, new AlertOptions(), static () => new AlertOptions().Add(static (_, _) => default), static o => [.. o.Validate()],
        static options =>
        {
            using var test = TestPools.Create(2);
            var logs = new LogRecorder();
            using var dispatcher = new AlertDispatcher(options, test.Time, logs.CreateFactory().CreateLogger("alerts"));
            test.Time.Run(() =>
            {
                dispatcher.Watch(test.Pool);
                return Task.CompletedTask;
            });
            for (var i = 0; i < 3; i++)
            {
                test["a"].Faults.Always(FakeFault.Refused);
                Call(test);
                test["a"].Faults.Clear();
                Call(test);
            }
            logs.Entries.Should().BeEmpty();
        });

    [Theory]
    [MemberData(nameof(OfWebhooks))]
    public void A_webhook_refuses_an_extreme_number_by_name_or_sends(string name) => Check(
        name, new WebhookAlertOptions(), static () => new WebhookAlertOptions { MaxAttempts = 40, Http = new HttpMessageInvoker(new Failing()) }, MistakesOf,
        static options =>
        {
            var time = new ManualTimeProvider();
            using var alert = new WebhookAlert(new Uri("https://hooks.test"), options) { Time = time };
            var notice = new AlertNotice { Kind = AlertKind.Outage, IsResolved = false, Pool = "p", Detail = "", Since = default, At = default };
            var sending = alert.SendAsync(new AlertMessage([notice], default), Ct).AsTask();
            for (var day = 0; day < 100 && !sending.IsCompleted; day++)
                time.Advance(TimeSpan.FromDays(1));
            sending.IsCompleted.Should().BeTrue();
            sending.Exception?.InnerException.Should().BeOfType<HttpRequestException>();
        });

    [Theory]
    [MemberData(nameof(OfRecorders))]
    public void A_recorder_refuses_an_extreme_number_by_name_or_records(string name) => Check(
        name, new FlightRecorderOptions(), () => new FlightRecorderOptions { Folder = _folder }, static o => [.. o.Validate()],
        options =>
        {
            var setting = NumberSetting.FindAll(options).Single(s => s.Path == name);
            using var recorded = new RecordedPool(2, o => setting.Set(o, setting.Get(options)!));
            Call(recorded.Test);
            var told = recorded.Told.Select(static l => l.Message).ToList();
            recorded.Read().Events.Should().NotBeEmpty();
            told.Should().BeEmpty();
        });

    [Theory]
    [MemberData(nameof(OfProfiles))]
    public void A_profile_with_an_extreme_number_is_served_or_fails_with_an_exception_of_the_pool(string name)
    {
        var setting = NumberSetting.FindAll(new RequestProfile()).Single(s => s.Path == name);
        foreach (var value in setting.Extremes())
        {
            var world = new NumberWorld(_folder, profile =>
            {
                var changed = profile with { };
                setting.Set(changed, value);
                return changed;
            });
            world.Run(NumberWorld.NewOptions(), NumberWorld.NewOptions()).Should().BeEmpty("{0} is {1}", name, value);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData(TimeSpan.TicksPerDay + 1)]
    public void A_probe_refuses_a_timeout_that_no_probe_can_meet(long ticks) =>
        FluentActions.Invoking(() => new CompletionProbe { Timeout = new TimeSpan(ticks) }).Should().Throw<ArgumentOutOfRangeException>().WithMessage("Timeout is *: more than 0 and at most 24 h is needed.*");

    [Theory]
    [InlineData(-TimeSpan.TicksPerMillisecond, 2)]
    [InlineData(0, 2)]
    [InlineData(long.MinValue, 2)]
    [InlineData(TimeSpan.TicksPerMinute, 60)]
    [InlineData(long.MaxValue, 86_400)]
    public void A_timeout_of_an_own_probe_that_is_no_time_is_the_pools_and_a_day_is_the_longest(long ticks, double seconds) =>
        new HeartbeatSetup(new OwnProbe(new TimeSpan(ticks)), null!, new HeartbeatOptions()).LongestWait.TotalSeconds.Should().Be(seconds);

    private sealed class OwnProbe(TimeSpan timeout) : IProbe
    {
        public TimeSpan? Timeout => timeout;

        public ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken) => new(new ProbeResult());
    }

    private static void Check<T>(string name, T usual, Func<T> create, Func<T, IReadOnlyList<string>> mistakesOf, Action<T> use)
        where T : class
    {
        var setting = NumberSetting.FindAll(usual).Single(s => s.Path == name);
        foreach (var value in setting.Extremes().Concat(setting.Edges(setting.Get(usual)!, v => mistakesOf(With(v)).Count == 0)).Distinct())
        {
            var mistakes = mistakesOf(With(value));
            if (mistakes.Count > 0)
                mistakes.Should().Contain(m => m.Contains(name, StringComparison.Ordinal) && m.Contains(NumberSetting.Shown(value), StringComparison.Ordinal) && m.Contains(" is needed", StringComparison.Ordinal));
            else
                FluentActions.Invoking(() => use(With(value))).Should().NotThrow("{0} is {1}", name, NumberSetting.Shown(value));
        }

        T With(object value)
        {
            var options = create();
            setting.Set(options, value);
            return options;
        }
    }

    private static string[] MistakesOf(WebhookAlertOptions options)
    {
        try
        {
            options.Validate();
            return [];
        }
        catch (ArgumentException refused)
        {
            return [refused.Message];
        }
    }

    private static void Call(TestPool test)
    {
        for (var i = 0; i < 25; i++)
        {
            test.Call();
            test.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static TheoryData<string> NamesOf(object options) => [.. NumberSetting.FindAll(options).Select(static s => s.Path)];

    /// <summary>Refuses 35 requests and takes the rest.</summary>
    private sealed class Failing : HttpMessageHandler
    {
        private int _count;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(++_count <= 35 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK));
    }
}
