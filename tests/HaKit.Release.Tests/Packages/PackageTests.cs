using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;

namespace HaKit.Release.Tests;

/// <summary>Packs all packages once to a folder.</summary>
public sealed class PackedFixture : IAsyncLifetime
{
    /// <summary>Gets the configuration in which this test was built. Packing must not build again while tests run.</summary>
    private static readonly string Configuration = typeof(PackedFixture).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    public string Folder { get; } = Directory.CreateTempSubdirectory("hakit-packages-").FullName;

    // A version that no package cache has.
    public string Version { get; } = $"0.0.1-test.{DateTime.UtcNow:yyyyMMddHHmmssfff}";

    public string Feed => Path.Combine(Folder, "feed");

    // Packages of others may come from the cache. HaKit's packages must not come from it, and must not stay in it.
    public string[] FromPackages =>
    [
        $"-p:HaKitVersion={Version}", $"-p:RestoreAdditionalProjectSources={Feed}", $"-p:RestorePackagesPath={Path.Combine(Folder, "packages")}",
        $"-p:RestoreFallbackFolders={Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages")}",
    ];

    public async ValueTask InitializeAsync()
    {
        foreach (var package in Repository.Packages)
            await RunAsync(Repository.Root, "pack", Repository.PathOf("src", package, package + ".csproj"), "--no-build", "--no-restore", "-c", Configuration, "-o", Feed, $"-p:Version={Version}", "-p:MinVerSkip=true", "--nologo");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return default;
    }

    public static async Task<string> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.Should().Be(0, "dotnet {0} said: {1}{2}", string.Join(' ', arguments), output, await error);
        return output;
    }
}

[CollectionDefinition(nameof(PackedFixture))]
public sealed class PackedOnce : ICollectionFixture<PackedFixture>;

[Collection(nameof(PackedFixture))]
public sealed class PackageTests(PackedFixture packed)
{
    public static TheoryData<string> Packages => [.. Repository.Libraries];

    private XDocument Nuspec(string package)
    {
        using var zip = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{package}.{packed.Version}.nupkg"));
        using var stream = zip.GetEntry(package + ".nuspec")!.Open();
        return XDocument.Load(stream);
    }

    private static string? Value(XDocument nuspec, string name) => nuspec.Descendants().FirstOrDefault(e => e.Name.LocalName == name)?.Value;

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_says_what_it_is_and_brings_its_page_its_comments_and_its_symbols(string package)
    {
        var nuspec = Nuspec(package);
        Value(nuspec, "license").Should().Be("MIT");
        Value(nuspec, "description").Should().NotBe("Package Description").And.NotBeNullOrWhiteSpace();
        Value(nuspec, "readme").Should().Be("README.md");
        Value(nuspec, "tags").Should().Contain("failover");
        using var zip = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{package}.{packed.Version}.nupkg"));
        zip.Entries.Select(e => e.FullName).Should().Contain(["README.md", $"lib/net10.0/{package}.dll", $"lib/net10.0/{package}.xml"]);
        File.Exists(Path.Combine(packed.Feed, $"{package}.{packed.Version}.snupkg")).Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_comments_in_a_package_are_those_of_what_its_users_can_see(string package)
    {
        using var zip = ZipFile.OpenRead(Path.Combine(packed.Feed, $"{package}.{packed.Version}.nupkg"));
        using var stream = zip.GetEntry($"lib/net10.0/{package}.xml")!.Open();
        var commented = XDocument.Load(stream).Descendants("member").Select(m => m.Attribute("name")!.Value).ToList();
        var types = Assembly.Load(package).GetTypes().ToDictionary(t => t.FullName!.Replace('+', '.'), StringComparer.Ordinal);
        var visible = types.Where(t => t.Value.IsVisible && !t.Value.IsSpecialName).Select(t => t.Key).ToList();

        commented.Where(c => c.StartsWith("T:", StringComparison.Ordinal)).Select(c => c[2..]).Should().Contain(visible).And.OnlyContain(name => types[name].IsVisible);
        commented.Where(c => !c.StartsWith("T:", StringComparison.Ordinal)).Where(member => !CanBeSeen(member)).Should().BeEmpty();

        bool CanBeSeen(string member)
        {
            var path = member[2..].Split('(', '~')[0];
            var (owner, name) = (types[path[..path.LastIndexOf('.')]], path[(path.LastIndexOf('.') + 1)..].Replace('#', '.').Split("``")[0]);
            return owner.IsVisible && owner.GetMember(name, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static).Any(IsSeen);
        }

        // A property is as visible as its getter.
        static bool IsSeen(MemberInfo member) => member switch
        {
            MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
            FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
            PropertyInfo property => IsSeen(property.GetMethod ?? property.SetMethod!),
            EventInfo e => IsSeen(e.AddMethod!),
            _ => true,
        };
    }

    [Fact]
    public void The_changelog_has_a_section_for_the_version_that_is_packed()
    {
        var next = XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("MinVerMinimumMajorMinor").Single().Value;
        File.ReadLines(Repository.PathOf("CHANGELOG.md")).First(line => line.StartsWith("## ", StringComparison.Ordinal)).Should().StartWith($"## [{next}.");
    }

    [Theory]
    [InlineData("HaKit.Availability")]
    [InlineData("HaKit", "HaKit.Availability", "Polly.Core", "Microsoft.Extensions.Http", "Microsoft.Extensions.Hosting.Abstractions",
        "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Http.Resilience", "Microsoft.Extensions.Options.ConfigurationExtensions", "Polly.Extensions", "Polly.RateLimiting")]
    [InlineData("HaKit.OpenAI", "HaKit", "OpenAI", "System.ClientModel")]
    [InlineData("HaKit.AI", "HaKit", "Microsoft.Extensions.AI")]
    [InlineData("HaKit.AspNetCore", "HaKit")]
    [InlineData("HaKit.Batch", "HaKit.AI")]
    [InlineData("HaKit.PostgreSql", "HaKit.Batch", "Npgsql")]
    [InlineData("HaKit.Testing", "HaKit", "Microsoft.Extensions.AI.Abstractions")]
    public void A_package_depends_on_what_it_needs_and_on_nothing_else(string package, params string[] dependencies) =>
        Nuspec(package).Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value).Should().BeEquivalentTo(dependencies);

    [Fact]
    public async Task The_tool_is_installed_from_its_package_and_runs()
    {
        var folder = Path.Combine(packed.Folder, "tool");
        Directory.CreateDirectory(folder);
        await PackedFixture.RunAsync(folder, "tool", "install", Repository.Tool, "--tool-path", folder, "--version", packed.Version, "--add-source", packed.Feed);

        var told = await PackedFixture.RunAsync(folder, "exec", Directory.GetFiles(folder, "HaKit.Tool.dll", SearchOption.AllDirectories).Single(), "plan", "--target", "2N");

        told.Should().Contain("meets the target");
        File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "hakit.exe" : "hakit")).Should().BeTrue("the command is called hakit");
    }

    [Theory]
    [InlineData("Console")]
    [InlineData("Web")]
    public async Task A_new_project_with_nothing_but_the_packages_fails_over(string consumer)
    {
        var folder = CopyOf(consumer);
        await PackedFixture.RunAsync(folder, ["build", "-v", "q", "--nologo", .. packed.FromPackages, "-o", Path.Combine(folder, "out")]);

        var told = await PackedFixture.RunAsync(folder, Path.Combine(folder, "out", "Consumer.dll"));

        told.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Should().StartWith(["OK", "OK", "first 1, second 1"]);
    }

    [Fact]
    public async Task A_native_program_is_published_without_a_warning_and_fails_over()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && (File.Exists("/usr/bin/clang") || File.Exists("/usr/bin/gcc")), "Native code is linked by clang or gcc.");
        var folder = CopyOf("Native");

        await PackedFixture.RunAsync(folder, ["publish", "-v", "q", "--nologo", "--ucr", .. packed.FromPackages, "-o", Path.Combine(folder, "out")]);

        using var program = Process.Start(new ProcessStartInfo(Path.Combine(folder, "out", "Consumer")) { RedirectStandardOutput = true })!;
        (await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).ReplaceLineEndings(" ").Trim().Should().Be("OK OK");
    }

    private string CopyOf(string consumer)
    {
        var folder = Path.Combine(packed.Folder, consumer);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Repository.PathOf("tests", "HaKit.Release.Tests", "Packages", "Consumers", consumer)))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }
}
