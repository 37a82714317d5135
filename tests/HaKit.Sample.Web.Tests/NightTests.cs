using HaKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace HaKit.Sample.Web.Tests;

/// <summary>
/// Tests the dashboard in a real browser, for an operator that has just been woken: everything is readable, in view and announced, and the age of the data is
/// shown.
/// </summary>
public sealed class NightTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly ViewportSize Desk = new() { Width = 1280, Height = 800 };
    private static readonly ViewportSize Phone = new() { Width = 360, Height = 740 };

    private async Task<WatchedPage> OpenAsync(Night night, ViewportSize size, ColorScheme scheme = ColorScheme.Dark)
    {
        var watched = await browser.NewPageAsync(size, scheme, isPhone: size.Width < 500);
        await watched.Page.GotoAsync(night.Dashboard.AbsoluteUri);
        await Assertions.Expect(watched.Page.Locator("#link")).ToHaveAttributeAsync("data-state", "live");
        return watched;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(360, 740)]
    [InlineData(390, 844)]
    [InlineData(800, 700)]
    [InlineData(1280, 800)]
    [InlineData(1920, 1080)]
    public async Task Names_that_differ_only_at_the_end_hosts_and_zones_can_be_read_whole_at_every_width(int width, int height)
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: false, visitors: 0, builder => builder.Services.AddHaEndpointPool("embeddings", Night.Crowd));
        var watched = await OpenAsync(night, new() { Width = width, Height = height });
        var page = watched.Page;
        await Assertions.Expect(page.Locator("section[data-pool='embeddings'] tr[data-endpoint]")).ToHaveCountAsync(100);
        // An element whose content is wider than it is, or that is cut with an ellipsis, hides a part of the name.
        var hidden = await page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll("tr[data-endpoint] .name, tr[data-endpoint] .host, tr[data-endpoint] .sub, .chip, .figure b")]
              .filter(e => e.offsetParent && (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" || getComputedStyle(e).textOverflow === "ellipsis" && e.scrollWidth > e.clientWidth
                || e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < 0)).map(e => e.className + ": " + e.textContent)
            """);
        hidden.Should().BeEmpty();
        (await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth")).Should().BeLessThanOrEqualTo(0);
        (await page.Locator("section[data-pool='embeddings'] .name").AllTextContentsAsync()).Distinct().Should().HaveCount(100);
        watched.Errors.Should().BeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task An_outage_is_in_view_wherever_the_page_is_scrolled_to_and_is_said_aloud_once()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: false);
        var pages = new[] { await OpenAsync(night, Desk), await OpenAsync(night, Phone, ColorScheme.Light) };
        foreach (var watched in pages)
            await watched.Page.EvaluateAsync("window.said = []; for (const id of ['say', 'alarm']) new MutationObserver(() => said.push(document.getElementById(id).textContent)).observe(document.getElementById(id), { childList: true, characterData: true, subtree: true })");
        await night.BreakAllAsync();
        foreach (var watched in pages)
        {
            var page = watched.Page;
            var verdict = page.Locator("#verdict");
            await Assertions.Expect(verdict).ToContainTextAsync("Outage of chat since", new() { Timeout = 30_000 });
            await Assertions.Expect(page.Locator("section[data-pool='chat'] .critical")).ToContainTextAsync("calls wait; the oldest for", new() { Timeout = 30_000 });
            await Assertions.Expect(page.Locator("section[data-pool='chat'] .critical")).ToContainTextAsync("The first call fails in");
            await Assertions.Expect(page.Locator("section[data-pool='chat'] .advice").First).ToContainTextAsync("Check");
            await Assertions.Expect(page).ToHaveTitleAsync("✕ Outage – HaKit");
            await page.EvaluateAsync("scrollTo(0, document.body.scrollHeight)");
            await Assertions.Expect(verdict).ToBeInViewportAsync();
            (await page.EvaluateAsync<double>("document.querySelector('.top').offsetHeight / innerHeight")).Should().BeLessThan(0.3, "what stays in view leaves room for the rest");
            await page.EvaluateAsync("scrollTo(0, 0)");
            await Assertions.Expect(page.Locator("section[data-pool='chat'] .critical .what")).ToBeInViewportAsync();
        }
        // Many trials fail meanwhile. They change neither the beginning of the outage nor the text.
        var since = await pages[0].Page.Locator(".critical .what").TextContentAsync();
        await Task.Delay(TimeSpan.FromSeconds(8), TestContext.Current.CancellationToken);
        (await pages[0].Page.Locator(".critical .what").TextContentAsync())![..40].Should().Be(since![..40]);
        foreach (var watched in pages)
        {
            var said = await watched.Page.EvaluateAsync<string[]>("said");
            said.Where(s => s.StartsWith("Outage of pool chat since", StringComparison.Ordinal)).Should().ContainSingle();
            said.Should().HaveCountLessThan(6, "a voice that never stops is not heard");
            (await watched.Page.Locator("#events li[data-kind='TrialsFailed']").CountAsync()).Should().BeLessThan(5);
            (await watched.Page.Locator("#events li").CountAsync()).Should().BeLessThan(20);
            await Assertions.Expect(watched.Page.Locator("#events li.pinned")).ToHaveCountAsync(1);
            watched.Errors.Should().BeEmpty();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task What_has_the_focus_keeps_it_while_rows_change_and_move()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: false);
        var page = (await OpenAsync(night, Desk)).Page;
        await page.ClickAsync("#order");
        var drain = page.Locator("tr[data-endpoint='standby'] [data-order='drain']");
        await drain.FocusAsync();
        await night.BreakAsync("ams-1");
        await Assertions.Expect(page.Locator("tr[data-endpoint]").First).ToHaveAttributeAsync("data-endpoint", "ams-1", new() { Timeout = 20_000 });
        await Assertions.Expect(drain).ToBeFocusedAsync();
        var chip = page.Locator(".chip", new() { HasText = "ams-1" });
        await chip.FocusAsync();
        await night.BreakAsync("fra-1", "throttled");
        await Assertions.Expect(page.Locator(".chip", new() { HasText = "fra-1" })).ToHaveCountAsync(1, new() { Timeout = 20_000 });
        await Task.Delay(3_000, TestContext.Current.CancellationToken);
        (await page.EvaluateAsync<string>("document.activeElement.textContent")).Should().Contain("ams-1");
    }

    [Fact(Timeout = 120_000)]
    public async Task Without_contact_nothing_is_green_and_the_page_says_how_old_it_is()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        var night = await Night.StartAsync(beside: false);
        var watched = await OpenAsync(night, Phone);
        await using (night)
            await Assertions.Expect(watched.Page.Locator("#pulse")).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("good|warn"));
        var page = watched.Page;
        await Assertions.Expect(page.Locator("#stale")).ToContainTextAsync(new System.Text.RegularExpressions.Regex(@"No contact with the application for \d+ s\. Everything below is as of \d\d:\d\d:\d\d"), new() { Timeout = 20_000 });
        await Assertions.Expect(page.Locator("#stale")).ToBeInViewportAsync();
        await Assertions.Expect(page.Locator("#pulse")).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("idle"));
        await Assertions.Expect(page.Locator("#alarm")).ToContainTextAsync("No contact with the application");
        await Assertions.Expect(page).ToHaveTitleAsync("? No contact – HaKit");
        (await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('main')).filter")).Should().Be("grayscale(1)");
    }

    [Fact(Timeout = 120_000)]
    public async Task Hostile_names_are_shown_as_text_and_run_nothing()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        const string Name = "<img src=x onerror=alert(1)>\"'`${1}</script>", Hostile = Name + "\u202E\u0000";
        await using var night = await Night.StartAsync(beside: false, visitors: 0, builder =>
        {
            builder.Services.AddHaEndpointPool("hostile", o =>
            {
                o.Heartbeat.Enabled = false;
                o.Endpoints.Add(new EndpointOptions { Name = Name, Model = Name, Zone = Name, Provider = Name });
                o.Endpoints.Add(new EndpointOptions { Name = "__proto__" });
                o.Endpoints.Add(new EndpointOptions { Name = "constructor" });
            });
            builder.Services.AddSingleton<IStatusPanel>(new HostilePanel(Hostile));
        });
        var watched = await browser.NewPageAsync(Desk);
        var dialogs = 0;
        watched.Page.Dialog += (_, dialog) => { dialogs++; _ = dialog.DismissAsync(); };
        await watched.Page.GotoAsync(night.Dashboard.AbsoluteUri);
        await Assertions.Expect(watched.Page.Locator("section[data-pool='hostile'] tr[data-endpoint]")).ToHaveCountAsync(3);
        await night.App.Get<EndpointPool>("hostile").ForceDownAsync(Name, new OrderNote("olga", Name));
        await Assertions.Expect(watched.Page.Locator("#events")).ToContainTextAsync("force down");
        await watched.Page.Keyboard.PressAsync("e");
        await Assertions.Expect(watched.Page.Locator("#answer tbody tr")).Not.ToHaveCountAsync(0);
        (await watched.Page.Locator("img, script:not([src='dashboard.js'])").CountAsync()).Should().Be(0);
        dialogs.Should().Be(0);
        watched.Errors.Should().BeEmpty();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_page_with_reduced_motion_moves_nothing_and_both_schemes_follow_the_system()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: false, visitors: 0);
        var page = (await OpenAsync(night, Desk, ColorScheme.Light)).Page;
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "light");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark, ReducedMotion = ReducedMotion.Reduce });
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        (await page.EvaluateAsync<string[]>("[...document.querySelectorAll('*')].map(e => getComputedStyle(e)).filter(s => s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0).map(s => s.animationName + s.transitionDuration)")).Should().BeEmpty();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_chat_that_waits_for_a_server_says_so()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: false, visitors: 4);
        var page = (await browser.NewPageAsync(Desk)).Page;
        await page.GotoAsync(night.App.Address.AbsoluteUri);
        await night.BreakAllAsync();
        await page.FillAsync("#say", "Is any server there?");
        await page.PressAsync("#say", "Enter");
        await Assertions.Expect(page.Locator("#talk .note.waiting")).ToContainTextAsync(new System.Text.RegularExpressions.Regex(@"\(\d+ s\)"), new() { Timeout = 20_000 });
        await Assertions.Expect(page.Locator("#talk .note.waiting")).ToContainTextAsync("No server can answer at the moment", new() { Timeout = 20_000 });
        await night.BreakAsync("fra-2", "well");
        await Assertions.Expect(page.Locator("#talk .theirs").Last).ToHaveAttributeAsync("data-done", "fra-2", new() { Timeout = 40_000 });
        await Assertions.Expect(page.Locator("#talk .note.waiting")).ToHaveCountAsync(0);
    }

    private sealed class HostilePanel(string text) : IStatusPanel
    {
        public StatusPanel Read() => new(text, Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded, text, [new(text, Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy, text)]);
    }
}
