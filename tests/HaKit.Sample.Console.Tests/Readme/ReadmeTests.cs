using System.Text;
using System.Text.RegularExpressions;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;

namespace HaKit.Sample.Tests.Readme;

public sealed partial class ReadmeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Text { get; } = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    [Fact]
    public async Task The_first_lines_in_the_README_are_the_ones_compiled_here()
    {
        var source = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "HaKit.Sample.Console.Tests", "Readme", "FirstLines.cs"), Token);
        var compiled = Snippet().Matches(source).Select(m => string.Join('\n', m.Groups[1].Value.Trim().Split('\n').Select(l => l.Trim())));

        Block("csharp").Should().Be(string.Join("\n\n", compiled));
    }

    [Fact]
    public void The_configuration_in_the_README_describes_a_pool()
    {
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Block("json")))).Build();
        var options = configuration.GetSection("chat").Get<EndpointPoolOptions>()!;

        options.Validate("chat").Should().BeEmpty();
        options.Endpoints.Should().HaveCountGreaterThan(1).And.OnlyContain(e => e.Credential == null, "keys do not belong in the file");
        Text.Should().Contain("chat__Endpoints__0__Credential", "the page says where the key of an endpoint goes");
    }

    [Fact]
    public async Task The_first_lines_are_answered_when_the_first_endpoint_is_dead()
    {
        await using var dead = await FakeAiServer.StartAsync(cancellationToken: Token);
        await dead.StopAsync();
        await using var alive = await FakeAiServer.StartAsync(new FakeAiOptions { ApiKey = "secret" }, cancellationToken: Token);

        var answer = await FirstLines.RunAsync(
        [
            "--chat:Endpoints:0:Name=first", $"--chat:Endpoints:0:Address={dead.OpenAIAddress}",
            "--chat:Endpoints:1:Name=second", $"--chat:Endpoints:1:Address={alive.OpenAIAddress}",
            "--chat:Endpoints:1:Headers:Authorization=Bearer secret", "--chat:Endpoints:1:Tier=1",
        ]);

        answer.Should().Be(FakeAnswers.AnswerTo("Are you there?"));
    }

    private static string Block(string language) =>
        Regex.Match(Text, $"```{language}\n(.*?)\n```", RegexOptions.Singleline) is { Success: true } block
            ? block.Groups[1].Value
            : throw new InvalidOperationException($"The README has no block of {language}.");

    [GeneratedRegex(@"#region first lines\n(.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
