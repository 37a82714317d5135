namespace HaKit.Tool.Tests;

public sealed class ToolTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("'dril'", "dril")]
    [InlineData("'--fast'", "plan", "--fast")]
    [InlineData("'5'", "plan", "5")]
    [InlineData("--required", "plan", "--required")]
    [InlineData("--required is '': a whole number from 1", "plan", "--required", "")]
    [InlineData("--required is '1.5': a whole number from 1", "plan", "--required", "1.5")]
    [InlineData("--required is '2147483648': a whole number from 1", "plan", "--required", "2147483648")]
    [InlineData("--required", "plan", "--required", "1", "--required", "2")]
    [InlineData("--trace", "replay")]
    [InlineData("--speed is '0': a number from 1 to 100", "replay", "--trace", "x.csv", "--speed", "0")]
    [InlineData("--speed is '1e1': a number from 1 to 100", "replay", "--trace", "x.csv", "--speed", "1e1")]
    [InlineData("--speed is '1,5': a number from 1 to 100", "replay", "--trace", "x.csv", "--speed", "1,5")]
    [InlineData("--speed is 'NaN': a number from 1 to 100", "replay", "--trace", "x.csv", "--speed", "NaN")]
    [InlineData("--trace is '/no/such/trace.csv', which cannot be read", "replay", "--trace", "/no/such/trace.csv")]
    [InlineData("--json is '/no/such/folder/figures.json', which cannot be written", "plan", "--json", "/no/such/folder/figures.json")]
    public async Task What_is_not_understood_is_refused_with_exit_code_2(string because, params string[] args)
    {
        var (exitCode, output, error) = await ToolRun.RunAsync(args);

        error.Should().Contain(because);
        output.Should().BeEmpty();
        exitCode.Should().Be(HakitTool.NotRun);
    }

    [Fact(Timeout = 60_000)]
    public async Task Help_lists_every_command_and_the_exit_codes()
    {
        foreach (var args in (string[][])[["--help"], []])
        {
            var (exitCode, output, error) = await ToolRun.RunAsync(args);

            foreach (var command in Commands.All())
                output.Should().Contain($"  {command.Name}");
            output.Should().Contain("Exit codes:").And.Contain("--version");
            error.Should().BeEmpty();
            exitCode.Should().Be(HakitTool.Good);
        }
    }

    public static TheoryData<string> CommandNames => [.. Commands.All().Select(c => c.Name)];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(CommandNames))]
    public async Task Help_of_a_command_describes_it_and_each_option(string name)
    {
        var (exitCode, output, error) = await ToolRun.RunAsync(name, "--help");

        var command = Commands.All().Single(c => c.Name == name);
        command.Description.Should().EndWith(".");
        foreach (var option in command.Options)
        {
            output.Should().Contain(option.Name);
            option.Description.Should().NotBeNullOrWhiteSpace("{0} of {1} needs a description", option.Name, name);
        }
        output.Should().Contain("Exit codes:");
        error.Should().BeEmpty();
        exitCode.Should().Be(HakitTool.Good);
    }

    [Fact(Timeout = 60_000)]
    public async Task Json_alone_replaces_the_text()
    {
        var (exitCode, output, _) = await ToolRun.RunAsync("plan", "--target", "2N", "--routing", "priority", "--rescued", "0.9", "--json");

        using var figures = System.Text.Json.JsonDocument.Parse(output);
        figures.RootElement.GetProperty("MeetsTarget").GetBoolean().Should().BeTrue();
        exitCode.Should().Be(HakitTool.Good);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_version_is_the_package_s()
    {
        var (exitCode, output, _) = await ToolRun.RunAsync("--version");

        output.Trim().Should().MatchRegex(@"^\d+\.\d+\.\d+");
        exitCode.Should().Be(HakitTool.Good);
    }
}
