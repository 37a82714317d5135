namespace HaKit.Sample.Tests.Chat;

/// <summary>Whole conversations on real sockets, with scripted input.</summary>
public sealed class ChatCommandTests
{
    [Fact]
    public async Task The_provider_that_serves_is_killed_mid_conversation_and_another_goes_on()
    {
        var output = await TalkAsync("hello", "/kill", "are you still there?", "/restart gpt", "/who", "and now?");

        output.Should().Contain("The chat uses gpt, claude, llama.")
            .And.Contain("[gpt: served]").And.Contain("[gpt is dead]")
            .And.MatchRegex(@"\[gpt: ConnectFailed after \S+ [mµ]?s; claude: served after \S+ [mµ]?s\]")
            .And.Contain("[gpt is back]").And.MatchRegex(@"gpt\s+(Healthy|Suspect)");
        Served(output).Should().Equal(["gpt", "claude", "gpt"], "the conversation was: {0}", output);
    }

    [Fact]
    public async Task All_but_one_may_die()
    {
        var output = await TalkAsync("one", "/kill gpt", "/kill claude", "two");

        Served(output).Should().Equal(["gpt", "llama"], "the conversation was: {0}", output);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_says_so_and_is_asked_for_again()
    {
        var output = await TalkAsync("/cut gpt", "hello", "/again", "/again");

        output.Should().MatchRegex(@"\[gpt broke off after 3 words \(\w+\); /again asks another\]")
            .And.Contain("There is no question without an answer.");
        Served(output).Should().ContainSingle();
    }

    [Fact]
    public async Task A_provider_that_throttles_is_left_alone_until_it_may_be_asked()
    {
        var output = await TalkAsync("/throttle gpt", "one", "two", "/who");

        output.Should().Contain("[gpt: Throttled (429 rate_limit_exceeded)").And.MatchRegex(@"gpt\s+Cooling down because of Throttled \(429 rate_limit_exceeded\), to be asked again in (60|59|58|57|5\d) s");
        Served(output).Should().Equal(["claude", "claude"], "the conversation was: {0}", output);
    }

    [Fact]
    public async Task What_is_not_understood_is_told()
    {
        var output = await TalkAsync("/fly", "/kill nobody", "/help");

        output.Should().Contain("There is no command '/fly'.").And.Contain("[there is no nobody]").And.Contain("/throttle [NAME]");
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("OPENAI_API_KEY", "openai")]
    [InlineData("OPENAI_API_KEY ANTHROPIC_API_KEY", "openai anthropic")]
    public async Task Providers_whose_keys_are_configured_are_real(string keys, string expected)
    {
        var providers = Sample.Chat.Providers.Real(name => keys.Split(' ').Contains(name) ? "key" : null);

        string.Join(' ', providers?.Options.Endpoints.Select(e => e.Name) ?? []).Should().Be(expected);
        if (providers is not null)
        {
            providers.AreReal.Should().BeTrue();
            await providers.DisposeAsync();
        }
    }

    private static async Task<string> TalkAsync(params string[] lines)
    {
        using var input = new StringReader(string.Join(Environment.NewLine, lines));
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await Commands.RunAsync(["chat", "--local"], output, error, TestContext.Current.CancellationToken, input);
        error.ToString().Should().BeEmpty();
        exitCode.Should().Be(0);
        return output.ToString();
    }

    private static IEnumerable<string> Served(string output) =>
        System.Text.RegularExpressions.Regex.Matches(output, @"(\w+): served").Select(m => m.Groups[1].Value);
}
