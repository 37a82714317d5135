using System.Diagnostics;
using Microsoft.Playwright;

namespace HaKit.Sample.Web.Tests;

/// <summary>The sample as a user sees it, in a real browser.</summary>
public sealed class SampleTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly ViewportSize Wall = new() { Width = 1920, Height = 1080 };

    private static ILocator Row(IFrameLocator dashboard, string endpoint) => dashboard.Locator($"tr[data-endpoint='{endpoint}']");

    private static async Task AskAsync(IPage page, string text)
    {
        await page.FillAsync("#say", text);
        await page.PressAsync("#say", "Enter");
    }

    // The server is killed in the middle of its answer. On a busy machine the answer may end first; then the server is repaired, and the question is asked again.
    private static async Task<(string Serving, long KilledAt)> KillInsideAnAnswerAsync(IPage page)
    {
        while (true)
        {
            var answered = await page.Locator("#talk .theirs[data-done]").CountAsync();
            await AskAsync(page, "And what if one of its servers dies while it talks?");
            var note = page.Locator("#talk .note").Last;
            await Assertions.Expect(note).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^(fra-|ams-|standby)")); // on a busy machine the standby may serve
            var serving = (await note.TextContentAsync())!.Split(' ')[0];
            await page.ClickAsync($"[data-server='{serving}'][data-fault='killed']");
            var killed = Stopwatch.GetTimestamp();
            await Assertions.Expect(page.Locator("#talk .note.cut").Or(page.Locator("#talk .theirs[data-done]").Nth(answered)).First).ToBeVisibleAsync();
            if (await page.Locator("#talk .note.cut").CountAsync() > 0)
                return (serving, killed);
            await page.ClickAsync($"[data-server='{serving}'][data-fault='well']");
        }
    }

    [Fact]
    public async Task A_chat_goes_on_when_its_endpoint_is_killed_and_the_dashboard_shows_who_is_out()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var sample = await SampleApp.StartAsync(["--visitors", "8"]);
        var watched = await browser.NewPageAsync(Wall);
        var page = watched.Page;
        await page.GotoAsync(sample.Address.AbsoluteUri);
        var dashboard = page.FrameLocator("#dashboard");
        await Assertions.Expect(dashboard.Locator("#link")).ToHaveAttributeAsync("data-state", "live");

        await AskAsync(page, "What keeps a service up?");
        await Assertions.Expect(page.Locator("#talk .theirs").Last).ToHaveAttributeAsync("data-done", new System.Text.RegularExpressions.Regex(".+"), new() { Timeout = 15_000 });
        var (serving, killed) = await KillInsideAnAnswerAsync(page);
        await Assertions.Expect(Row(dashboard, serving).Locator(".state")).ToContainTextAsync("Ejected");
        var shown = Stopwatch.GetElapsedTime(killed);
        TestContext.Current.SendDiagnosticMessage($"The dashboard showed the ejection {shown.TotalSeconds:0.00} s after the kill.");
        await Assertions.Expect(page.Locator("#talk .note.cut")).ToHaveTextAsync($"{serving} was cut; asking again");
        await Assertions.Expect(page.Locator("#talk .theirs").Last).ToHaveAttributeAsync("data-done", new System.Text.RegularExpressions.Regex($"^(?!{serving}$).+"), new() { Timeout = 15_000 });
        await Assertions.Expect(dashboard.Locator(".chip").First).ToContainTextAsync(serving);
        await Assertions.Expect(dashboard.Locator("#events li[data-kind='EndpointEjected']").First).ToContainTextAsync(new System.Text.RegularExpressions.Regex("ConnectFailed|ConnectionReset")); // the last failure may be one of the cut answers
        await watched.ShootAsync("sample-killed");

        await page.ClickAsync($"[data-server='{serving}'][data-fault='well']");
        await Assertions.Expect(Row(dashboard, serving).Locator(".state")).ToContainTextAsync(new System.Text.RegularExpressions.Regex("Slow start|Healthy"), new() { Timeout = 30_000 });
        await Assertions.Expect(Row(dashboard, serving).Locator(".state")).ToContainTextAsync("Healthy", new() { Timeout = 40_000 });
        watched.Errors.Should().BeEmpty();
        watched.Requests.Should().OnlyContain(url => url.StartsWith(sample.Address.AbsoluteUri, StringComparison.Ordinal) || url.StartsWith("data:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_operator_drains_and_brings_up_an_endpoint_by_clicks_and_by_keys()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var sample = await SampleApp.StartAsync(["--visitors", "8"]);
        var watched = await browser.NewPageAsync(Wall, ColorScheme.Light);
        var page = watched.Page;
        await page.GotoAsync(sample.Address + "ha");
        var row = page.Locator("tr[data-endpoint='fra-2']");
        await row.GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await Assertions.Expect(row.Locator(".state")).ToContainTextAsync("Draining");
        await Assertions.Expect(page.Locator("#events li[data-kind='EndpointDrained']")).ToContainTextAsync("fra-2", new() { Timeout = 15_000 });
        await row.GetByRole(AriaRole.Button, new() { Name = "Bring up" }).ClickAsync();
        await Assertions.Expect(row.Locator(".state")).ToContainTextAsync("Slow start");

        await page.Locator("body").PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("f");
        await page.Locator("#sure-yes").ClickAsync();
        await Assertions.Expect(page.Locator("tr[data-endpoint]:focus .state, tr[data-endpoint] .state", new() { HasText = "Forced down" })).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Promote tier 1" }).ClickAsync();
        await page.Locator("#sure-yes").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Fail back to tier 0" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("e");
        await Assertions.Expect(page.Locator("#answer tbody tr")).ToHaveCountAsync(4);
        await watched.ShootAsync("explain");
        watched.Errors.Should().BeEmpty();
    }
}
