using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace HaKit.Sample.Web.Tests;

/// <summary>
/// The dashboard in the states that an operator meets, in a real browser: healthy, one endpoint down, all endpoints down, recovering, and without contact
/// to the application. With HAKIT_SHOTS=folder each state is saved as pictures, light, dark and on a phone: <c>HAKIT_SHOTS=/tmp/shots dotnet run --project tests/HaKit.Sample.Web.Tests -- -class "*SceneTests"</c>.
/// </summary>
public sealed class SceneTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly (string Name, ViewportSize Size, ColorScheme Scheme, bool IsPhone)[] Looks =
    [
        ("dark", new() { Width = 1440, Height = 1000 }, ColorScheme.Dark, false),
        ("light", new() { Width = 1440, Height = 1000 }, ColorScheme.Light, false),
        ("phone", new() { Width = 375, Height = 780 }, ColorScheme.Light, true),
    ];

    // States that a page of the documentation shows, and the name of its picture there.
    private static readonly Dictionary<string, string> Documented = new() { ["all-down-dark"] = "dashboard-outage", ["all-down-phone"] = "dashboard-outage-phone" };

    private static bool Shoots => Environment.GetEnvironmentVariable("HAKIT_SHOTS") is not null || Environment.GetEnvironmentVariable("HAKIT_IMAGES") is not null;

    [Fact(Timeout = 240_000)]
    public async Task Each_state_fits_each_width_and_names_what_is_wrong()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: false);
        var pages = new List<(string Look, WatchedPage Watched)>();
        foreach (var (name, size, scheme, isPhone) in Looks)
        {
            var watched = await browser.NewPageAsync(size, scheme, isPhone);
            await watched.Page.GotoAsync(night.Dashboard.AbsoluteUri);
            await Assertions.Expect(watched.Page.Locator("#link")).ToHaveAttributeAsync("data-state", "live");
            pages.Add((name, watched));
        }
        await Task.Delay(Shoots ? 25_000 : 1_000, TestContext.Current.CancellationToken);
        await SeeAsync(pages, "well", "All 4 endpoints serve");
        await night.BreakAsync("ams-1");
        await SeeAsync(pages, "one-down", "3 of 4 endpoints serve", 6);
        await night.BreakAllAsync();
        await SeeAsync(pages, "all-down", "Outage of chat since", 30);
        await night.BreakAsync("fra-1", "well");
        // The slow start of the first endpoint may end before the last page has been looked at.
        await SeeAsync(pages, "recovering", "Recovering: chat|1 of 4 endpoints serve", 4);
        await night.App.DisposeAsync();
        await SeeAsync(pages, "no-contact", "No contact", 3);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_hundred_endpoints_a_fleet_a_batch_and_a_vault_are_shown_each_in_its_panel()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var night = await Night.StartAsync(beside: true);
        foreach (var (name, size, scheme, isPhone) in Looks)
        {
            var watched = await browser.NewPageAsync(size, scheme, isPhone);
            var page = watched.Page;
            await page.GotoAsync(night.Dashboard.AbsoluteUri);
            await Assertions.Expect(page.Locator("section[data-pool='embeddings'] tr[data-endpoint]")).ToHaveCountAsync(100);
            await Assertions.Expect(page.Locator("section[data-panel='batch reviews.journal'] [data-part='results']")).ToContainTextAsync("of 20,000 items", new() { Timeout = 20_000 });
            await Assertions.Expect(page.Locator("section[data-panel='vault conversations'] [data-part='disk']")).ToContainTextAsync("newest snapshot", new() { Timeout = 30_000 });
            if (night.HasFleet)
                await Assertions.Expect(page.Locator("section[data-pool='embeddings'] .fleet [data-replica]")).ToHaveCountAsync(2, new() { Timeout = 30_000 });
            (await OverflowAsync(page)).Should().BeLessThanOrEqualTo(0, $"nothing is cut off at the side on {name}");
            if (!Shoots)
                continue;
            await Task.Delay(name == "dark" ? 12_000 : 1_000, TestContext.Current.CancellationToken);
            await watched.ShowAsync($"crowd-{name}");
            await page.Locator("section[data-pool='embeddings'] .fleet").ScrollIntoViewIfNeededAsync();
            await watched.ShowAsync($"fleet-{name}");
            await page.Locator("#panels").ScrollIntoViewIfNeededAsync();
            await page.EvaluateAsync("document.getElementById('panels').scrollIntoView({ block: 'end' })");
            await watched.ShowAsync($"panels-{name}");
            watched.Errors.Should().BeEmpty();
        }
    }

    private static async Task SeeAsync(List<(string Look, WatchedPage Watched)> pages, string scene, string words, int settle = 1)
    {
        foreach (var (_, watched) in pages)
            await Assertions.Expect(watched.Page.Locator("#verdict")).ToContainTextAsync(new Regex(words), new() { Timeout = 40_000 });
        await Task.Delay(Shoots ? settle * 1000 : 1_000, TestContext.Current.CancellationToken);
        foreach (var (look, watched) in pages)
        {
            await watched.ShowAsync($"{scene}-{look}");
            if (Documented.TryGetValue($"{scene}-{look}", out var picture))
                await watched.ShootAsync(picture);
            if (look == "phone")
            {
                await watched.Page.EvaluateAsync("scrollTo(0, document.querySelector('table').offsetTop - 200)");
                await watched.ShowAsync($"{scene}-{look}-rows");
                await watched.Page.EvaluateAsync("scrollTo(0, 0)");
            }
            (await OverflowAsync(watched.Page)).Should().BeLessThanOrEqualTo(0, $"nothing is cut off at the side on {look} in {scene}");
            if (scene != "no-contact")
                watched.Errors.Should().BeEmpty();
        }
    }

    private static Task<int> OverflowAsync(IPage page) => page.EvaluateAsync<int>(
        "Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('.pool table')].map(t => t.offsetWidth - t.parentNode.clientWidth))");
}
