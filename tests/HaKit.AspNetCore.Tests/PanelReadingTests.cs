using System.Text;
using System.Text.Json;
using HaKit.AspNetCore.Status;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HaKit.AspNetCore.Tests;

/// <summary>A panel is the application's code. If it fails or blocks, the dashboard shows that, and everything else on the dashboard continues.</summary>
public sealed class PanelReadingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly StatusPanel Good = new("disk", HealthStatus.Healthy, "5 min old", []);

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    public static TheoryData<string> Failures => ["throws", "null", "rows are null", "rows throw", "row is null", "name is null"];

    [Theory, MemberData(nameof(Failures))]
    public async Task A_panel_that_fails_is_shown_as_an_outage_and_the_rest_of_the_page_goes_on(string failure)
    {
        var panel = new Panel(failure switch
        {
            "throws" => static () => throw new InvalidOperationException("PLANTED"),
            "null" => static () => null!,
            "rows are null" => static () => new("disk", HealthStatus.Healthy, "", null!),
            "name is null" => static () => Good with { Name = null! },
            "rows throw" => static () => new("disk", HealthStatus.Healthy, "", new BrokenRows()),
            _ => static () => new("disk", HealthStatus.Healthy, "", [null!]),
        });
        await using var site = await Site.StartAsync(services => services.AddSingleton<IStatusPanel>(panel).AddSingleton<IStatusPanel>(new Panel(static () => Good)));
        using var open = await site.SendAsync(HttpMethod.Get, "/ha/events");
        site.Time.Invoking(static t => t.Advance(S(7))).Should().NotThrow("an exception of a timer ends the process");

        var status = JsonDocument.Parse(await site.Http.GetStringAsync("/ha/status", Ct)).RootElement;
        status.GetProperty("pools")[0].GetProperty("state").GetString().Should().Be("well");
        status.GetProperty("panels").EnumerateArray().Select(static p => p.GetProperty("state").GetString()).Should().Equal("outage", "well");
        status.GetProperty("panels")[0].GetProperty("name").GetString().Should().Be(nameof(Panel), "no name has ever been read");
        status.GetRawText().Should().NotContain("PLANTED");
        site.Logs.Entries.Should().ContainSingle(static l => l.Level == LogLevel.Error, "a panel that goes on failing is logged once");
    }

    [Fact]
    public void A_panel_keeps_its_name_while_it_fails_and_each_of_its_failures_is_logged_once()
    {
        var isBroken = false;
        var logs = new LogRecorder();
        using var loggers = logs.CreateFactory();
        var time = new ManualTimeProvider();
        var feed = new StatusFeed(static () => [], [new Panel(() => isBroken ? throw new IOException("PLANTED") : Good)], time, new EndpointPoolPagesOptions(), loggers.CreateLogger("test"));
        feed.Start();
        var viewer = feed.Join("a")!;
        List<(string?, string?)> seen = [];
        foreach (var broken in new[] { true, false, true })
        {
            isBroken = broken;
            time.Advance(S(3));
            var panel = LastOf(viewer).GetProperty("panels")[0];
            seen.Add((panel.GetProperty("name").GetString(), panel.GetProperty("summary").GetString()));
        }
        seen.Should().Equal(("disk", "It cannot be read (IOException)."), ("disk", "5 min old"), ("disk", "It cannot be read (IOException)."));
        logs.Entries.Should().HaveCount(2).And.OnlyContain(static l => l.Level == LogLevel.Error && l.Exception is IOException);
        feed.Stop();
    }

    [Fact]
    public async Task A_panel_that_blocks_stops_neither_the_updates_nor_the_other_panels()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var isStuck = false;
        var reads = 0;
        var panel = new Panel(() =>
        {
            Interlocked.Increment(ref reads);
            if (Volatile.Read(ref isStuck))
            {
                entered.Set();
                release.Wait(Ct);
            }
            return Good;
        });
        var time = new ManualTimeProvider();
        var feed = new StatusFeed(static () => [], [panel, new Panel(static () => Good with { Name = "other" })], time, new EndpointPoolPagesOptions());
        feed.Start();
        var viewer = feed.Join("a")!;
        Volatile.Write(ref isStuck, true);
        var stuck = Task.Run(feed.WriteWhole, Ct);
        entered.Wait(Ct);
        var before = reads;

        time.Advance(S(10));

        var panels = LastOf(viewer).GetProperty("panels");
        panels.EnumerateArray().Select(static p => (p.GetProperty("name").GetString(), p.GetProperty("state").GetString())).Should().Equal(("disk", "outage"), ("other", "well"));
        panels[0].GetProperty("summary").GetString().Should().Be("It has not answered for 10 s.");
        reads.Should().Be(before, "no further thread is given to a panel that blocks");
        Volatile.Write(ref isStuck, false);
        release.Set();
        await stuck;
        time.Advance(S(1));
        LastOf(viewer).GetProperty("panels")[0].GetProperty("state").GetString().Should().Be("well");
        feed.Stop();
    }

    [Fact]
    public async Task Updates_come_while_events_come_faster_than_an_update_follows_an_event()
    {
        using var test = TestPools.Create(2);
        var feed = new StatusFeed(() => [test.Pool], [], test.Time, new EndpointPoolPagesOptions());
        feed.Start();
        var viewer = feed.Join("a")!;
        NamesOf(viewer).Should().Equal("status");
        List<string> names = [];
        for (var i = 0; i < 100; i++)
        {
            if (i % 2 == 0)
                await test.Pool.ForceDownAsync("a");
            else
                await test.Pool.BringUpAsync("a");
            test.Time.Advance(TimeSpan.FromMilliseconds(20));
            names.AddRange(NamesOf(viewer));
        }
        names.Count(static n => n == "event").Should().BeGreaterThan(100);
        names.Count(static n => n == "tick").Should().BeInRange(4, 10, "2 s have passed");
        names[..20].Should().Contain("tick", "the first update follows the first event at once");
        feed.Stop();
    }

    [Fact]
    public async Task An_event_does_not_delay_an_update_that_is_due()
    {
        using var test = TestPools.Create(2);
        var feed = new StatusFeed(() => [test.Pool], [], test.Time, new EndpointPoolPagesOptions());
        feed.Start();
        var viewer = feed.Join("a")!;
        test.Time.Advance(TimeSpan.FromMilliseconds(970));
        await test.Pool.ForceDownAsync("a");
        test.Time.Advance(TimeSpan.FromMilliseconds(30));
        NamesOf(viewer).Should().Contain("tick");
        feed.Stop();
    }

    private static string[] NamesOf(StatusViewer viewer) => [.. MessagesOf(viewer).Select(static m => m.Name)];

    private static JsonElement LastOf(StatusViewer viewer) => JsonDocument.Parse(MessagesOf(viewer).Last().Data).RootElement;

    private static IEnumerable<(string Name, string Data)> MessagesOf(StatusViewer viewer)
    {
        while (viewer.Messages.TryRead(out var message))
        {
            var lines = Encoding.UTF8.GetString(message).Split('\n');
            yield return (lines[0]["event: ".Length..], lines[1]["data: ".Length..]);
        }
    }

    private sealed class Panel(Func<StatusPanel> read) : IStatusPanel
    {
        public StatusPanel Read() => read();
    }

    private sealed class BrokenRows : IReadOnlyList<StatusPanelRow>
    {
        public int Count => throw new TimeoutException("PLANTED");

        public StatusPanelRow this[int index] => throw new TimeoutException("PLANTED");

        public IEnumerator<StatusPanelRow> GetEnumerator() => throw new TimeoutException("PLANTED");

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
