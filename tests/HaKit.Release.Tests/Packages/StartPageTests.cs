using System.Net;
using System.Net.Sockets;
using HaKit.Testing;

namespace HaKit.Release.Tests;

/// <summary>Follows the five-minute start like a new user: the blocks of the page are the whole code of two projects that use only the packages.</summary>
[Collection(nameof(PackedFixture))]
public sealed class StartPageTests(PackedFixture packed)
{
    private static readonly IReadOnlyList<string> Blocks = Page.Blocks("docs/start.md", "csharp");

    [Fact]
    public void A_pool_a_call_and_a_test_take_thirty_lines() =>
        Blocks.Take(3).Sum(b => b.Split('\n').Count(l => l.Trim().Length > 0)).Should().BeLessThanOrEqualTo(30);

    [Fact]
    public void Its_commands_take_a_version_that_is_not_released()
    {
        var isReleased = !File.ReadLines(Repository.PathOf("CHANGELOG.md")).First(line => line.StartsWith("## ", StringComparison.Ordinal)).Contains("not yet released", StringComparison.Ordinal);
        var commands = Page.Blocks("docs/start.md", "sh").SelectMany(b => b.Split('\n')).Where(l => l.Contains(" package HaKit", StringComparison.Ordinal)).ToList();
        commands.Should().NotBeEmpty().And.OnlyContain(l => l.EndsWith("--prerelease", StringComparison.Ordinal) != isReleased, "without it dotnet add package takes stable versions only, and there is none before the first release");
    }

    [Fact]
    public async Task It_works_as_written()
    {
        var (first, second) = (FreePort.Take().ToString(System.Globalization.CultureInfo.InvariantCulture), FreePort.Take().ToString(System.Globalization.CultureInfo.InvariantCulture));
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Write("Ask/Ask.csproj", Project("HaKit.OpenAI", "HaKit.Testing").Replace("</ItemGroup>", """<PackageReference Include="OpenAI" Version="2.15.0" /></ItemGroup>""", StringComparison.Ordinal));
        Write("Ask/ChatPool.cs", Blocks[0]);
        Write("Ask/Program.cs", Blocks[1]);
        // The project that `dotnet new xunit` would write, with the version of xunit that is restored here.
        Write("Ask.Tests/Ask.Tests.csproj", Project("HaKit.Testing").Replace("</ItemGroup>",
            """<PackageReference Include="xunit.v3" Version="3.2.2" /><ProjectReference Include="../Ask/Ask.csproj" /><Using Include="Xunit" /></ItemGroup>""", StringComparison.Ordinal));
        Write("Ask.Tests/ChatPoolTests.cs", Blocks[2]);
        Write("Ask.Tests/OutageTests.cs", Blocks[3]);
        var folder = Path.Combine(packed.Folder, "start");
        await PackedFixture.RunAsync(folder, "build", "Ask.Tests/Ask.Tests.csproj", "-v", "q", "--nologo", $"-p:RestoreAdditionalProjectSources={packed.Feed}",
            $"-p:RestorePackagesPath={Path.Combine(packed.Folder, "packages")}", $"-p:RestoreFallbackFolders={cache}");

        (await PackedFixture.RunAsync(folder, "Ask/bin/Debug/net10.0/Ask.dll")).Trim().Should().Be(FakeAnswers.AnswerTo("Are you there?"));
        (await PackedFixture.RunAsync(folder, "Ask.Tests/bin/Debug/net10.0/Ask.Tests.dll")).Should().Contain("Total: 2, Errors: 0, Failed: 0");

        string Project(params string[] packages) => $"""
            <Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
            <ItemGroup>{string.Concat(packages.Select(p => $"""<PackageReference Include="{p}" Version="{packed.Version}" />"""))}</ItemGroup></Project>
            """;

        // The ports of the page may be in use on this machine.
        void Write(string file, string text)
        {
            var path = Path.Combine(packed.Folder, "start", file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text.Replace("8001", first, StringComparison.Ordinal).Replace("8002", second, StringComparison.Ordinal));
        }
    }
}
