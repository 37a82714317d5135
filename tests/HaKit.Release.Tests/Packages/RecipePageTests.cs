using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace HaKit.Release.Tests;

/// <summary>
/// Follows the recipes like a new user: each block of code is the only file of a new project, which uses the packages that the page names above it.
/// </summary>
[Collection(nameof(PackedFixture))]
public sealed partial class RecipePageTests(PackedFixture packed)
{
    private static readonly Dictionary<string, string> s_versions = XDocument.Load(Repository.PathOf("Directory.Packages.props")).Descendants("PackageVersion")
        .ToDictionary(p => p.Attribute("Include")!.Value, p => p.Attribute("Version")!.Value.Trim('[', ']'), StringComparer.Ordinal);

    /// <summary>The blocks of code that are whole files, with the packages that each needs.</summary>
    private static IReadOnlyList<(string Name, string[] Packages, string Code)> Recipes { get; } =
    [
        .. Recipe().Matches(Page.Text("docs/recipes.md")).Select((m, i) => ($"Recipe{i + 1}", Name().Matches(m.Groups[1].Value).Select(n => n.Groups[1].Value).ToArray(), m.Groups[2].Value)),
        ("Readme", ["HaKit.OpenAI", "OpenAI", "Microsoft.Extensions.Hosting"], Page.Blocks("README.md", "csharp")[0]),
    ];

    [Fact]
    public void Every_block_on_the_page_names_its_packages() =>
        Recipes.Count(r => r.Name != "Readme").Should().Be(Page.Blocks("docs/recipes.md", "csharp").Count).And.BeGreaterThan(10);

    [Fact]
    public async Task Every_recipe_is_built_from_the_packages_as_it_stands()
    {
        var folder = Path.Combine(packed.Folder, "recipes");
        foreach (var (name, packages, code) in Recipes)
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
            await File.WriteAllTextAsync(Path.Combine(folder, name, "Program.cs"), code, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder, name, name + ".csproj"), ProjectOf(packages, isTest: code.Contains("[Fact]", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "Recipes.slnx"), $"<Solution>{string.Concat(Recipes.Select(r => $"""<Project Path="{r.Name}/{r.Name}.csproj" />"""))}</Solution>", TestContext.Current.CancellationToken);

        await PackedFixture.RunAsync(folder, ["build", "Recipes.slnx", "-v", "q", "--nologo", "-warnaserror:CS", .. packed.FromPackages]);

        var last = Recipes[^2].Name;
        (await PackedFixture.RunAsync(folder, Path.Combine(folder, last, "bin", "Debug", "net10.0", last + ".dll"))).Should().Contain("Total: 1, Errors: 0, Failed: 0", "the recipe of a test is run");
    }

    // The project that `dotnet new console` would write, or `dotnet new xunit` with the version of xunit that is restored here.
    private string ProjectOf(string[] packages, bool isTest)
    {
        var references = packages.Select(p => (Name: p, Version: p.StartsWith("HaKit", StringComparison.Ordinal) ? packed.Version : s_versions[p]));
        if (isTest)
            references = references.Append(("xunit.v3", s_versions["xunit.v3"]));
        return $"""
            <Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
            <ItemGroup>{string.Concat(references.Select(r => $"""<PackageReference Include="{r.Name}" Version="{r.Version}" />"""))}{(isTest ? """<Using Include="Xunit" />""" : "")}</ItemGroup></Project>
            """;
    }

    [GeneratedRegex(@"^Packages: ([^\n]+)\n\n```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Recipe();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();
}
