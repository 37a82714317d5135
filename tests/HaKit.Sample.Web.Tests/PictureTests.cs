using Microsoft.Playwright;

namespace HaKit.Sample.Web.Tests;

/// <summary>The dashboard on a wall, on a phone, and with a hundred endpoints.</summary>
public sealed class PictureTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task The_dashboard_fits_a_wall_and_a_phone_and_shows_an_ill_endpoint_first_of_all()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var sample = await SampleApp.StartAsync(["--visitors", "14"]);
        var wall = await browser.NewPageAsync(new() { Width = 1920, Height = 1080 });
        await wall.Page.GotoAsync(sample.Address + "ha");
        if (Environment.GetEnvironmentVariable("HAKIT_IMAGES") is not null)
            await wall.Page.WaitForTimeoutAsync(60_000); // a picture wants a past
        using var http = new HttpClient { BaseAddress = sample.Address };
        (await http.PostAsync(new Uri("faults/ams-1/killed", UriKind.Relative), null, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        await Assertions.Expect(wall.Page.Locator("tr[data-endpoint='ams-1'] .state")).ToContainTextAsync("Ejected", new() { Timeout = 10_000 });
        await Assertions.Expect(wall.Page.Locator(".chip")).ToContainTextAsync("ams-1");
        await Assertions.Expect(wall.Page.Locator("#verdict")).ToContainTextAsync("ams-1 (ejected)");
        if (Environment.GetEnvironmentVariable("HAKIT_IMAGES") is not null)
        {
            await http.PostAsync(new Uri("faults/fra-2/throttled", UriKind.Relative), null, TestContext.Current.CancellationToken);
            await wall.Page.WaitForTimeoutAsync(9_000);
        }
        await wall.ShootAsync("dashboard-dark");
        (await OverflowAsync(wall.Page)).Should().BeLessThanOrEqualTo(0, "nothing is cut off at the side");

        foreach (var (name, size, scheme, isPhone) in (( string, ViewportSize, ColorScheme, bool)[])
            [("dashboard-light", new() { Width = 1440, Height = 900 }, ColorScheme.Light, false), ("dashboard-phone", new() { Width = 390, Height = 844 }, ColorScheme.Dark, true)])
        {
            var other = await browser.NewPageAsync(size, scheme, isPhone);
            await other.Page.GotoAsync(sample.Address + "ha");
            await Assertions.Expect(other.Page.Locator("#link")).ToHaveAttributeAsync("data-state", "live");
            await Assertions.Expect(other.Page.Locator("tr[data-endpoint]")).ToHaveCountAsync(4);
            await other.ShootAsync(name);
            (await OverflowAsync(other.Page)).Should().BeLessThanOrEqualTo(0, $"nothing is cut off at the side on {name}");
            other.Errors.Should().BeEmpty();
        }
        wall.Errors.Should().BeEmpty();
    }

    private static Task<int> OverflowAsync(IPage page) => page.EvaluateAsync<int>(
        "Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('.pool table')].map(t => t.offsetWidth - t.parentNode.clientWidth))");
}
