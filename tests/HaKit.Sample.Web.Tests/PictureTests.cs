using HaKit.Continuity;
using Microsoft.Extensions.DependencyInjection;
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
            await wall.Page.WaitForTimeoutAsync(60_000); // the picture needs some history
        using var http = new HttpClient { BaseAddress = sample.Address };
        (await http.PostAsync(new Uri("faults/ams-1/killed", UriKind.Relative), null, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        await Assertions.Expect(wall.Page.Locator("tr[data-endpoint='ams-1'] .state")).ToContainTextAsync("Ejected", new() { Timeout = 10_000 });
        await Assertions.Expect(wall.Page.Locator(".chip")).ToContainTextAsync("ams-1");
        await Assertions.Expect(wall.Page.Locator("#verdict")).ToContainTextAsync("ams-1 (ejected");
        if (Environment.GetEnvironmentVariable("HAKIT_IMAGES") is not null)
        {
            await http.PostAsync(new Uri("faults/fra-2/throttled", UriKind.Relative), null, TestContext.Current.CancellationToken);
            await wall.Page.WaitForTimeoutAsync(9_000);
        }
        await wall.ShootAsync("dashboard-dark");
        (await OverflowAsync(wall.Page)).Should().BeLessThanOrEqualTo(0, "nothing is cut off at the side");

        foreach (var (name, size, scheme, isPhone) in ((string, ViewportSize, ColorScheme, bool)[])
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

    [Fact]
    public async Task A_vault_has_a_panel_beside_the_pools_which_names_the_destination_that_lacks_the_newest_snapshot()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        var folder = Directory.CreateTempSubdirectory("vault-panel-").FullName;
        var share = new Share(Path.Combine(folder, "share"));
        await File.WriteAllTextAsync(Path.Combine(folder, "state"), "kept", TestContext.Current.CancellationToken);
        await using (var sample = await SampleApp.StartAsync(["--visitors", "6"], builder => builder.Services.AddHaVault("state", o =>
        {
            o.Destinations.Add(new() { Name = "disk", Folder = Path.Combine(folder, "disk") });
            o.Destinations.Add(new VaultDestinationOptions { Name = "share" }.Use(share));
            o.Keys["1"] = Convert.ToBase64String(new byte[32]);
            (o.Source, o.Every, o.OperationTimeout) = (Path.Combine(folder, "state"), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
        })))
        {
            foreach (var scheme in (ColorScheme[])[ColorScheme.Dark, ColorScheme.Light])
            {
                var watched = await browser.NewPageAsync(new() { Width = 1440, Height = 1400 }, scheme);
                await watched.Page.GotoAsync(sample.Address + "ha");
                var panel = watched.Page.Locator("section[data-panel='vault state']");
                await Assertions.Expect(panel.Locator("[data-part='disk']")).ToContainTextAsync("newest snapshot", new() { Timeout = 20_000 });
                share.IsOut = true;
                await Assertions.Expect(panel.Locator("[data-part='share']")).ToContainTextAsync("could not reach it", new() { Timeout = 60_000 });
                await Assertions.Expect(panel.Locator(".pill")).ToContainTextAsync("Degraded");
                await panel.ScrollIntoViewIfNeededAsync();
                if (scheme == ColorScheme.Light)
                    await watched.ShootAsync("dashboard-vault", panel);
                (await OverflowAsync(watched.Page)).Should().BeLessThanOrEqualTo(0);
                watched.Errors.Should().BeEmpty();
                share.IsOut = false;
            }
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_hundred_endpoints_are_shown_found_and_sorted_and_each_refresh_is_quickly_done()
    {
        Assert.SkipWhen(Browser.Absent is not null, Browser.Absent ?? "");
        await using var sample = await SampleApp.StartAsync(["--visitors", "0"], builder => builder.Services.AddHaEndpointPool("crowd", static o =>
        {
            o.Heartbeat.Enabled = false;
            for (var i = 0; i < 100; i++)
                o.Endpoints.Add(new EndpointOptions { Name = $"gpu-{i:00}", Model = "llama-3.3-70b" });
        }));
        var watched = await browser.NewPageAsync(new() { Width = 1920, Height = 1080 });
        await watched.Page.AddInitScriptAsync("window.spent = []; const parse = JSON.parse; JSON.parse = text => { const began = performance.now(); const value = parse(text); queueMicrotask(() => spent.push(performance.now() - began)); return value; };");
        await watched.Page.GotoAsync(sample.Address + "ha");
        var rows = watched.Page.Locator("section[data-pool='crowd'] tr[data-endpoint]");
        await Assertions.Expect(rows).ToHaveCountAsync(100);
        await sample.Get<EndpointPool>("crowd").ForceDownAsync("gpu-77");
        await watched.Page.ClickAsync("#order");
        await Assertions.Expect(rows.First).ToHaveAttributeAsync("data-endpoint", "gpu-77");
        await watched.Page.FillAsync("#find", "gpu-4");
        await Assertions.Expect(watched.Page.Locator("section[data-pool='crowd'] tr[data-endpoint]:visible")).ToHaveCountAsync(10);
        await watched.Page.FillAsync("#find", "");
        await watched.Page.EvaluateAsync("new Promise(done => { const look = () => spent.length >= 12 ? done() : setTimeout(look, 200); look(); })");
        var spent = await watched.Page.EvaluateAsync<double[]>("spent.slice(2).sort((a, b) => a - b)");
        TestContext.Current.SendDiagnosticMessage($"A refresh of 104 endpoints keeps the page busy for {spent[spent.Length / 2]:0.0} ms (median), {spent[^1]:0.0} ms at most of {spent.Length}.");
        watched.Errors.Should().BeEmpty();
    }

    private static Task<int> OverflowAsync(IPage page) => page.EvaluateAsync<int>(
        "Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('.pool table')].map(t => t.offsetWidth - t.parentNode.clientWidth))");

    /// <summary>A folder that can be unavailable, like a network share.</summary>
    private sealed class Share(string path) : IVaultDestination
    {
        private readonly FolderDestination _folder = new(path);

        public volatile bool IsOut;

        private FolderDestination Folder => IsOut ? throw new IOException("The share is out.") : _folder;

        public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Folder.PutIfAbsentAsync(name, content, cancellationToken);

        public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => Folder.GetAsync(name, cancellationToken);

        public ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) => Folder.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => Folder.DeleteAsync(name, cancellationToken);
    }
}
