using HaKit.Alerts;
using HaKit.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Alerts;

/// <summary>Tests that alerts follow the true state of the pools, whatever was missed and whatever fails beside them.</summary>
public sealed class AlertStateTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void A_refused_key_that_a_trial_finds_needs_attention()
    {
        using var bench = new AlertBench();
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(2));
        bench.Test["a"].Faults.Clear();
        bench.Test["a"].Faults.Always(FakeFault.Status(401));
        bench.Test.Time.Advance(Seconds(10)); // a trial is due
        bench.Try("a");
        bench.Test.Time.Advance(Seconds(2));
        var notice = bench.Notices.Should().ContainSingle(n => n.Kind == AlertKind.NeedsAttention).Which;
        notice.Should().BeEquivalentTo(new { Endpoint = "a", IsResolved = false });
        notice.Detail.Should().StartWith("Unauthorized");
    }

    [Fact]
    public void A_recovery_that_the_reader_missed_is_sent_and_the_next_ejection_too()
    {
        using var bench = new AlertBench(configure: o => o.Quiet = TimeSpan.Zero);
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Messages.Should().HaveCount(1);
        // The reader's timer does not run meanwhile, so the recovery is among the dropped events.
        bench.Test.Pool.BringUpAsync("a").AsTask().IsCompletedSuccessfully.Should().BeTrue();
        for (var i = 0; i < 1100; i++)
            bench.Test.Pool.PromoteAsync(0).AsTask().IsCompletedSuccessfully.Should().BeTrue();
        bench.Test.Time.Advance(Seconds(3));
        bench.Notices.Select(n => (n.Kind, n.IsResolved)).Should().Equal((AlertKind.Ejected, false), (AlertKind.Ejected, true));
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Notices.Should().HaveCount(3).And.Subject.Last().IsResolved.Should().BeFalse();
    }

    [Fact]
    public void An_outage_that_the_reader_missed_is_sent()
    {
        using var bench = new AlertBench(endpoints: 1);
        bench.Test.Time.Advance(Seconds(3));
        bench.Test.Pool.ForceDownAsync("a").AsTask().IsCompletedSuccessfully.Should().BeTrue();
        for (var i = 0; i < 1100; i++)
            bench.Test.Pool.PromoteAsync(0).AsTask().IsCompletedSuccessfully.Should().BeTrue();
        bench.Test.Time.Advance(Seconds(3));
        bench.Notices.Should().ContainSingle().Which.Kind.Should().Be(AlertKind.Outage);
    }

    [Fact]
    public void What_happened_before_the_alerts_began_is_sent()
    {
        using var bench = new AlertBench(isWatching: false);
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(1));
        bench.Watch();
        bench.Test.Time.Advance(Seconds(3));
        var notice = bench.Notices.Should().ContainSingle().Which;
        notice.Kind.Should().Be(AlertKind.Ejected);
        notice.Since.Should().BeBefore(bench.Test.Time.GetUtcNow() - Seconds(3), "the endpoint was out before the alerts began");
    }

    [Theory]
    [InlineData(-8.0)]
    [InlineData(-24.0 * 60)]
    [InlineData(8.0)]
    public void The_quiet_time_does_not_follow_the_wall_clock(double jumpHours)
    {
        using var bench = new AlertBench(configure: o => o.Quiet = TimeSpan.FromMinutes(5));
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Test.Time.JumpWallClock(TimeSpan.FromHours(jumpHours));
        bench.Heal("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Notices.Select(n => n.IsResolved).Should().Equal([false, true], "it is quiet still");
        bench.Test.Time.Advance(TimeSpan.FromMinutes(5));
        bench.Notices.Select(n => n.IsResolved).Should().Equal(false, true, false);
    }

    [Fact]
    public void A_log_that_throws_ends_no_alerts()
    {
        var asked = 0;
        using var bench = new AlertBench(
            configure: o => o.Add((_, _) => asked++ == 0 ? throw new InvalidOperationException("full") : default), logger: new ThrowingLogger());
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        asked.Should().Be(1);
        bench.Heal("a");
        bench.Test.Time.Advance(Seconds(3));
        asked.Should().Be(2, "the receiver that failed gets the next message");
    }

    [Fact]
    public void A_panel_that_throws_beside_a_log_that_throws_ends_nothing()
    {
        using var bench = new AlertBench(logger: new ThrowingLogger());
        bench.Test.Time.Run(() =>
        {
            bench.Dispatcher.Watch(new BrokenPanel());
            return Task.CompletedTask;
        });
        bench.Test.Time.Advance(Seconds(61));
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Messages.Should().HaveCount(1);
    }

    [Fact]
    public void An_ended_alert_is_forgotten_after_its_quiet_time()
    {
        var time = new ManualTimeProvider();
        var book = new AlertBook(TimeSpan.FromMinutes(5), time);
        for (var i = 0; i < 100; i++)
        {
            Read(HealthStatus.Unhealthy);
            book.Due().Notices.Should().HaveCount(1);
            Read(HealthStatus.Healthy);
            time.Advance(TimeSpan.FromMinutes(1));
            book.Due().Notices.Should().HaveCount(1);

            void Read(HealthStatus state) =>
                book.RecordEvent(new PanelRead { Pool = $"panel {i}", At = time.GetUtcNow(), Panel = new($"panel {i}", state, "it is", []) });
        }
        book.Count.Should().BeLessThan(10);
    }

    [Fact]
    public void A_header_of_a_recovery_that_cannot_be_sent_is_refused_at_once()
    {
        var add = () => new HaKit.Heartbeats.WebhookRecovery(new Uri("https://hooks.test")) { Headers = new Dictionary<string, string> { ["X Api Key"] = "k3y" } };
        add.Should().Throw<ArgumentException>().Where(e => !e.Message.Contains("k3y"));
    }

    [Theory]
    [InlineData("X Api Key", "k3y")]
    [InlineData("X-Api-Key", "k3y\r\nX-Other: 1")]
    [InlineData("", "k3y")]
    [InlineData("X-Schlüssel", "k3y")]
    [InlineData("X-Api-Key", "Schlüssel")]
    public void A_header_of_a_webhook_that_cannot_be_sent_is_refused_at_once(string header, string value)
    {
        var add = () => new AlertOptions().AddWebhook(new Uri("https://hooks.test"), w => w.Headers[header] = value);
        add.Should().Throw<ArgumentException>().Where(e => !e.Message.Contains("k3y") && !e.Message.Contains("Schl"));
    }

    [Fact]
    public async Task A_handler_of_a_webhook_may_fail_in_any_way_and_its_words_are_not_shown()
    {
        var hook = new OddHook(2);
        using var alert = new WebhookAlert(new Uri("https://hooks.test/s3cret"), new WebhookAlertOptions { Http = new HttpMessageInvoker(hook), MaxAttempts = 3, Delay = TimeSpan.FromMilliseconds(1) });
        var message = new AlertMessage([new AlertNotice { Kind = AlertKind.Outage, IsResolved = false, Pool = "p", Detail = "", Since = default, At = default }], default);
        await alert.SendAsync(message, Ct);
        hook.Asked.Should().Be(3, "two attempts failed");

        hook.Failures = 100;
        var failure = (await alert.Awaiting(a => a.SendAsync(message, Ct).AsTask()).Should().ThrowAsync<HttpRequestException>()).Which;
        failure.ToString().Should().Contain(nameof(NotSupportedException)).And.NotContain("s3cret");
    }

    [Fact]
    public void A_receiver_whose_callback_throws_at_the_end_does_not_break_the_disposal()
    {
        var bench = new AlertBench(configure: o => o.Add(async (_, end) =>
        {
            end.Register(static () => throw new InvalidOperationException("the application's own callback"));
            await new TaskCompletionSource().Task;
        }));
        bench.Eject("a");
        bench.Test.Time.Advance(Seconds(3));
        bench.Dispatcher.Invoking(static d => d.Dispose()).Should().NotThrow();
        bench.Dispose();
    }

    private sealed class OddHook(int failures) : HttpMessageHandler
    {
        public int Failures { get; set; } = failures;

        public int Asked { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            ++Asked <= Failures ? throw new NotSupportedException("The circuit to https://hooks.test/s3cret is open.") : Task.FromResult(new HttpResponseMessage());
    }

    private sealed class BrokenPanel : IStatusPanel
    {
        public StatusPanel Read() => throw new InvalidOperationException("this panel cannot be read");
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new AggregateException("the disk is full");
    }
}
