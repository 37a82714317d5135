using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

/// <summary>The table of versions that go together names the versions that the tests restore.</summary>
public sealed partial class VersionsPageTests
{
    public static TheoryData<string, string> Packages => new()
    {
        { "OpenAI", "OpenAI" },
        { "Microsoft.Extensions.AI.OpenAI", "Microsoft.Extensions.AI.OpenAI" },
        { "Azure.AI.OpenAI", "Azure.AI.OpenAI" },
        { "Microsoft.SemanticKernel", "Semantic Kernel" },
        { "Anthropic", "Anthropic" },
        { "OllamaSharp", "OllamaSharp" },
        { "Microsoft.Agents.AI", "Microsoft.Agents.AI" },
    };

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_page_names_the_version_that_is_tested(string package, string name)
    {
        var version = Version().Matches(Page.Text("Directory.Packages.props")).Single(m => m.Groups[1].Value == package).Groups[2].Value;

        Page.Table("docs/in-your-application.md", "Versions that go together").SelectMany(row => row).Should()
            .Contain(cell => cell.Contains($"{name} {version}", StringComparison.Ordinal) || package == "OpenAI" && cell.Contains($"with {version} ", StringComparison.Ordinal), "{0} {1} is what the tests restore", package, version);
    }

    [Fact]
    public void HaKit_OpenAI_asks_for_the_oldest_version_that_the_page_names()
    {
        var asked = Regex.Match(Page.Text("src/HaKit.OpenAI/HaKit.OpenAI.csproj"), "Include=\"OpenAI\" VersionOverride=\"([^\"]+)\"").Groups[1].Value;

        Page.Text("docs/in-your-application.md").Should().Contain($"HaKit.OpenAI asks for OpenAI {asked} or later");
    }

    [Fact]
    public void The_page_lists_what_each_package_brings_in_addition_to_HaKit()
    {
        HashSet<string> ofHaKit = [.. Needs("HaKit"), "HaKit", "Microsoft.Extensions.Diagnostics.HealthChecks.Abstractions"]; // the health checks of HaKit need the last one
        var projects = Directory.GetDirectories(Repository.PathOf("src")).Select(static f => Path.GetFileName(f)!).Except(["HaKit", "HaKit.Tool"]);
        var needs = projects.Select(p => (p, string.Join(", ", Needs(p).Except(ofHaKit).Order(StringComparer.Ordinal)))).Where(static p => p.Item2.Length > 0);

        Page.Table("docs/in-your-application.md", "What each package brings")
            .Select(static row => (row[0], string.Join(", ", row[1].Split(", ").Select(static c => c.Split(' ')[0]).Order(StringComparer.Ordinal)))).Should().BeEquivalentTo(needs);
    }

    private static IEnumerable<string> Needs(string project) =>
        Reference().Matches(Page.Text($"src/{project}/{project}.csproj")).Select(static m => m.Groups[1].Value.Split('/')[^1]).Select(static n => n.EndsWith(".csproj", StringComparison.Ordinal) ? n[..^7] : n);

    [GeneratedRegex("<(?:Package|Project)Reference Include=\"([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("PackageVersion Include=\"([^\"]+)\" Version=\"([^\"]+)\"")]
    private static partial Regex Version();
}
