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

    [GeneratedRegex("PackageVersion Include=\"([^\"]+)\" Version=\"([^\"]+)\"")]
    private static partial Regex Version();
}
