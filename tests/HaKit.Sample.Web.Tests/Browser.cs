using Microsoft.Playwright;

namespace HaKit.Sample.Web.Tests;

/// <summary>Controls Debian's Chromium by Playwright. If the environment variable HAKIT_IMAGES is set, pictures are saved in docs/images.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Path = "/usr/bin/chromium";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Gets the reason why there is no browser. Null if there is a browser.</summary>
    public static string? Absent => File.Exists(Path) ? null : $"There is no {Path}: .ci/run installs it as root.";

    public async ValueTask InitializeAsync()
    {
        if (Absent is not null)
            return;
        _playwright = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(30_000); // only a guard: the default of 5 s is too short for a busy machine
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Path, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    /// <summary>Opens a page, and records its errors and its requests to other servers.</summary>
    public async Task<WatchedPage> NewPageAsync(ViewportSize size, ColorScheme scheme = ColorScheme.Dark, bool isPhone = false)
    {
        Assert.SkipWhen(Absent is not null, Absent ?? "");
        var context = await _browser!.NewContextAsync(new() { ViewportSize = size, ColorScheme = scheme, IsMobile = isPhone, HasTouch = isPhone, DeviceScaleFactor = isPhone ? 2 : 1 });
        return new WatchedPage(await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

/// <summary>Holds a page and its forbidden actions.</summary>
public sealed class WatchedPage
{
    private readonly Lock _lock = new();
    private readonly List<string> _errors = [];
    private readonly List<string> _requests = [];

    public WatchedPage(IPage page)
    {
        Page = page;
        page.PageError += (_, error) => Note(_errors, error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                Note(_errors, message.Text);
        };
        page.Request += (_, request) => Note(_requests, request.Url);
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Errors => Copy(_errors);

    public IReadOnlyList<string> Requests => Copy(_requests);

    /// <summary>Keeps a picture in docs/images, when HAKIT_IMAGES is set.</summary>
    public async Task ShootAsync(string name, ILocator? part = null)
    {
        if (Environment.GetEnvironmentVariable("HAKIT_IMAGES") is null)
            return;
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        var path = Path.Combine(folder.FullName, "docs", "images", name + ".png");
        if (part is not null)
            await part.ScreenshotAsync(new() { Path = path });
        else
            await Page.ScreenshotAsync(new() { Path = path });
    }

    /// <summary>Keeps a picture in the folder that HAKIT_SHOTS names, to be looked at.</summary>
    public async Task ShowAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("HAKIT_SHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(Directory.CreateDirectory(folder).FullName, name + ".png") });
    }

    private void Note(List<string> list, string text)
    {
        lock (_lock)
            list.Add(text);
    }

    private string[] Copy(List<string> list)
    {
        lock (_lock)
            return [.. list];
    }
}
