using System.Text;
using HaKit.Http;
using HaKit.Limits;

namespace HaKit.Tests.Http;

/// <summary>Token limits apply before the first answer, because the tokens of a request are guessed from its body.</summary>
public sealed class GuessedTokensTests
{
    [Fact]
    public async Task A_request_that_would_pass_the_token_limit_goes_to_another_endpoint_before_any_answer_has_come()
    {
        await using var http = new HttpPool(2, LimitFirst(100));
        http.Fakes[0].Faults.Always(HaKit.Testing.FakeFault.Hang);
        http.Fakes[1].Faults.Always(HaKit.Testing.FakeFault.Hang);
        using var stop = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 4).Select(_ => http.SendAsync(HttpPool.Chat(new string('x', 240)), ct: stop.Token)).ToArray(); // about 70 tokens each

        http.Fakes[0].Counts.Received.Should().Be(1);
        http.Fakes[1].Counts.Received.Should().Be(3);
        await stop.CancelAsync();
        foreach (var call in calls)
            await call.Invoking(c => c).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_request_that_is_guessed_larger_than_the_limit_is_served_all_the_same()
    {
        await using var http = new HttpPool(1, LimitFirst(100));
        (await http.ReadAsync(HttpPool.Chat(new string('x', 40_000)))).Should().Contain("choices");
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(10, 1)]
    [InlineData(100, 1)]
    public async Task The_prompt_is_guessed_too_if_the_profile_gives_only_the_tokens_of_the_answer(int answer, int first)
    {
        await using var http = new HttpPool(2, LimitFirst(100));
        http.Fakes[0].Faults.Always(HaKit.Testing.FakeFault.Hang);
        http.Fakes[1].Faults.Always(HaKit.Testing.FakeFault.Hang);
        using var stop = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 4).Select(_ => http.Client.SendAsync(WithAnswer(answer, 240), stop.Token)).ToArray(); // about 70 tokens each, and the answer

        (http.Fakes[0].Counts.Received, http.Fakes[1].Counts.Received).Should().Be((first, 4 - first));
        await stop.CancelAsync();
        foreach (var call in calls)
            await call.Invoking(c => c).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_guess_beside_the_tokens_of_the_answer_never_exceeds_the_limit()
    {
        await using var http = new HttpPool(1, LimitFirst(100));
        using var response = await http.Client.SendAsync(WithAnswer(30, 40_000), TestContext.Current.CancellationToken);
        response.IsSuccessStatusCode.Should().BeTrue();
    }

    [Fact]
    public async Task A_guess_counts_in_full_at_an_endpoint_whose_limit_can_hold_it_although_another_limit_is_smaller()
    {
        await using var http = new HttpPool(2, o =>
        {
            LimitFirst(10_000)(o);
            o.Endpoints[1].Limits = new LimitOptions { TokensPerMinute = 100 };
        });
        http.Fakes[0].Faults.Always(HaKit.Testing.FakeFault.Hang);
        http.Fakes[1].Faults.Always(HaKit.Testing.FakeFault.Hang);
        using var stop = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 2).Select(_ => http.SendAsync(HttpPool.Chat(string.Concat(Enumerable.Repeat("all work ", 2_700))), ct: stop.Token)).ToArray(); // about 6,000 tokens each

        (http.Fakes[0].Counts.Received, http.Fakes[1].Counts.Received).Should().Be((1, 1));
        await stop.CancelAsync();
        foreach (var call in calls)
            await call.Invoking(c => c).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_guess_excludes_no_endpoint_for_its_context_window()
    {
        await using var http = new HttpPool(1, o =>
        {
            LimitFirst(1000)(o);
            o.Endpoints[0].ContextWindow = 50;
        });
        (await http.ReadAsync(HttpPool.Chat(new string('x', 400)))).Should().Contain("choices");
    }

    [Fact]
    public async Task A_counter_of_the_applications_counts_and_one_that_throws_costs_nothing()
    {
        var counted = new List<string>();
        await using var http = new HttpPool(1, o =>
        {
            LimitFirst(1000)(o);
            o.Http.CountTokens = text =>
            {
                counted.Add(text);
                return text == "hi" ? throw new FormatException() : 1;
            };
        });
        (await http.ReadAsync(HttpPool.Chat("hi"))).Should().Contain("choices");
        counted.Should().Contain(["user", "hi", "m"]);
    }

    [Fact]
    public async Task Without_token_limits_no_text_is_looked_at()
    {
        var isAsked = false;
        await using var http = new HttpPool(1, o => o.Http.CountTokens = _ =>
        {
            isAsked = true;
            return 1;
        });
        await http.ReadAsync(HttpPool.Chat("hi"));
        isAsked.Should().BeFalse();
    }

    [Fact]
    public async Task What_the_profile_says_goes_before_any_guess()
    {
        await using var http = new HttpPool(1, o =>
        {
            LimitFirst(1000)(o);
            o.Http.CountTokens = _ => throw new InvalidOperationException("not asked");
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { InputTokens = 2000, Deadline = TimeSpan.FromSeconds(1) });
        await http.Client.Invoking(c => c.SendAsync(request, TestContext.Current.CancellationToken)).Should().ThrowAsync<EndpointPoolException>("a call that says it is larger than the limit never fits");
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"four words in here"}]}""", 6)]
    [InlineData("""{"messages":[]}""", 0)]
    [InlineData("""{"n":1,"x":true}""", 0)]
    [InlineData("not json at all", 0)]
    public void Four_bytes_of_text_are_a_token(string json, int tokens) => PromptSize.EstimateTokens(Encoding.UTF8.GetBytes(json), null).Should().Be(tokens);

    [Theory]
    [InlineData("data:image/png;base64,")]
    [InlineData("")]
    public void An_image_counts_as_an_image_and_not_as_text(string prefix)
    {
        var image = prefix + Convert.ToBase64String(new byte[300_000]);
        PromptSize.EstimateTokens(Encoding.UTF8.GetBytes($$$"""{"messages":[{"content":[{"image_url":{"url":"{{{image}}}"}}]}]}"""), null).Should().Be(1000);
    }

    [Fact]
    public void Long_text_counts_as_text()
    {
        var text = string.Concat(Enumerable.Repeat("all work and no play ", 1000));
        PromptSize.EstimateTokens(Encoding.UTF8.GetBytes($$"""{"prompt":"{{text}}"}"""), _ => 7).Should().Be(7);
        PromptSize.EstimateTokens(Encoding.UTF8.GetBytes($$"""{"prompt":"{{text}}"}"""), null).Should().Be(text.Length / 4);
    }

    private static HttpRequestMessage WithAnswer(int tokens, int prompt)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat(new string('x', prompt)) };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { MaxOutputTokens = tokens });
        return request;
    }

    private static Action<EndpointPoolOptions> LimitFirst(int tokens) => options =>
    {
        options.Selection.Preset = HaKit.Selection.SelectionPreset.RoundRobin;
        options.Endpoints[0].Limits = new LimitOptions { TokensPerMinute = tokens };
        for (var i = 1; i < options.Endpoints.Count; i++)
            options.Endpoints[i].Tier = 1;
    };
}
