namespace HaKit.Sample.Tests;

public sealed class CommandsTests
{
    [Theory]
    [InlineData("There is no command 'dril'.", "dril")]
    [InlineData("'--fast' is no option", "drill", "--fast")]
    [InlineData("'5' is no option", "drill", "5")]
    [InlineData("'--rate' is no option of this command, or was given twice", "--rate", "5", "--rate", "6")]
    [InlineData("--rate needs a value", "drill", "--rate")]
    [InlineData("--rate needs a value", "drill", "--rate", "--no-failover")]
    [InlineData("--rate needs a value", "drill", "--rate", "")]
    [InlineData("--rate is 'many': a number from 1 to 500", "drill", "--rate", "many")]
    [InlineData("--rate is '-5': a number from 1 to 500", "drill", "--rate", "-5")]
    [InlineData("--rate is 'NaN': a number from 1 to 500", "drill", "--rate", "NaN")]
    [InlineData("--rate is '1e2': a number from 1 to 500", "drill", "--rate", "1e2")]
    [InlineData("--rate is '1,5': a number from 1 to 500", "drill", "--rate", "1,5")]
    [InlineData("--duration is '0': a number from 2 to 3600", "drill", "--duration", "0")]
    [InlineData("--seed is '1.5': a whole number", "drill", "--seed", "1.5")]
    [InlineData("--seed is '2147483648': a whole number", "drill", "--seed", "2147483648")]
    public async Task What_is_not_understood_is_refused_with_exit_code_2(string because, params string[] args)
    {
        var (exitCode, output, error) = await RunAsync(args);

        error.Should().Contain(because);
        output.Should().BeEmpty();
        exitCode.Should().Be(2);
    }

    [Theory]
    [InlineData("recognize  an image", "--help")]
    [InlineData("--no-failover", "drill", "--help")]
    public async Task Help_lists_what_there_is(string line, params string[] args)
    {
        var (exitCode, output, error) = await RunAsync(args);

        output.Should().Contain(line);
        error.Should().BeEmpty();
        exitCode.Should().Be(0);
    }

    internal static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await Commands.RunAsync(args, output, error, TestContext.Current.CancellationToken);
        return (exitCode, output.ToString(), error.ToString());
    }
}
