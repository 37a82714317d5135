namespace HaKit.Tool.Tests.Planning;

public sealed class PlanCommandTests
{
    [Fact(Timeout = 60_000)]
    public async Task Every_option_has_a_default_and_an_unreachable_target_is_said_with_the_limit()
    {
        var (code, output, error) = await RunAsync();
        code.Should().Be(1);
        error.Should().BeEmpty();
        output.Should().Contain("Target      99.99% (four nines), 4.3 min down in 30 d")
            .And.Contain("Delivers    99.786%").And.Contain("one cause takes all endpoints down")
            .And.Contain("unreachable, the limit is 99.84%").And.MatchRegex("Cheapest    unreachable with these changes; the limit is 99\\.\\d+%");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_target_within_reach_is_answered_with_the_cheapest_way()
    {
        var (code, output, _) = await RunAsync("--target", "99.9", "--endpoint", "a:99.5", "--endpoint", "b:99.5", "--beta", "0.3");
        code.Should().Be(0);
        output.Should().Contain("misses the target").And.MatchRegex("Cheapest    .*halve beta.*: 99\\.9\\d*% for \\d+");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_target_that_is_met_costs_nothing()
    {
        var (code, output, _) = await RunAsync("--target", "2N", "--routing", "priority", "--rescued", "0.9", "--coverage", "0.99", "--uncovered", "10m", "--mttr", "2h", "--period", "7d", "--detect", "500ms");
        code.Should().Be(0);
        output.Should().Contain("meets the target").And.Contain("Cheapest    nothing").And.Contain("by priority").And.Contain("detection 500 ms");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("--target 101", "--target is '101': a percentage of at least 50 and below 100, such as 99.95")]
    [InlineData("--target 4", "--target is '4': a percentage of at least 50 and below 100, such as 99.95, or a number of nines, such as 3N5")]
    [InlineData("--endpoint a:9.5", "--endpoint is 'a:9.5'")]
    [InlineData("--detect 20", "--detect is '20': a time such as 20s")]
    [InlineData("--detect -5s", "--detect is '-5s': a time such as 20s")]
    [InlineData("--detect 0.000001ms", "--detect is '0.000001ms': a time such as 20s")]
    [InlineData("--beta 1.5", "--beta is '1.5': a number from 0 to 1")]
    [InlineData("--beta NaN", "--beta is 'NaN': a number from 0 to 1")]
    [InlineData("--endpoint \u00a0:99", "NAME:A is needed")]
    [InlineData("--endpoint openai", "--endpoint is 'openai': NAME:A is needed")]
    [InlineData("--endpoint a:99 --endpoint a:98", "--endpoint names 'a' twice")]
    [InlineData("--required 3", "--required is 3, and there are 2 endpoints")]
    [InlineData("--routing fastest", "--routing is 'fastest': balanced or priority")]
    [InlineData("--cost-beta -1", "--cost-beta is '-1': a number that is not negative")]
    [InlineData("--from yesterday", "--from is 'yesterday': a time such as")]
    [InlineData("--target", "--target")]
    [InlineData("--speed 9", "'--speed'")]
    [InlineData("--incidents /no/such/file.csv", "/no/such/file.csv")]
    public async Task A_question_that_cannot_be_read_is_refused_by_the_options_name(string args, string message)
    {
        var (code, output, error) = await RunAsync(args.Split(' '));
        code.Should().Be(2);
        output.Should().BeEmpty();
        error.Should().Contain(message);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_pool_that_cannot_lose_an_account_under_its_load_is_found()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, """
            { "chat": { "Endpoints": [
                { "Name": "a", "Address": "https://a.example/v1", "Account": "eu", "Region": "west", "Limits": { "TokensPerMinute": 100000 } },
                { "Name": "b", "Address": "https://b.example/v1", "Account": "eu", "Region": "east", "Limits": { "TokensPerMinute": 100000 } },
                { "Name": "c", "Address": "https://c.example/v1", "Account": "us", "Region": "west", "Limits": { "TokensPerMinute": 100000 } } ] } }
            """, TestContext.Current.CancellationToken);

        var (code, output, _) = await RunAsync("--pool", file, "--calls-per-minute", "150", "--tokens-per-call", "1000");
        code.Should().Be(1);
        output.Should().MatchRegex(@"losing account eu: 3\d % of calls would wait or fail \(tokens 150 % of what is left\)").And.Contain("losing region east: nothing");

        (code, output, _) = await RunAsync("--pool", file, "--calls-per-minute", "70", "--tokens-per-call", "1000", "--json");
        code.Should().Be(0);
        output.Should().Contain("\"LostShareNow\": ");
        File.Delete(file);
    }

    [Fact(Timeout = 60_000)]
    public async Task Help_names_every_option_that_is_read()
    {
        var (code, output, _) = await RunAsync("--help");
        code.Should().Be(0);
        foreach (var option in (string[])["--target", "--endpoint", "--beta", "--detect", "--incidents", "--service", "--impact", "--cost-rescue", "--period"])
            output.Should().Contain(option);
    }

    [Fact(Timeout = 60_000)]
    public async Task Incidents_are_estimated_and_a_bad_line_is_refused_with_its_number()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "start,end,service,impact\n2024-01-01T00:00:00Z,2024-01-01T06:00:00Z,a,1\n2024-01-01T03:00:00Z,2024-01-01T09:00:00Z,b,1\n");
            string[] window = ["--incidents", file, "--from", "2024-01-01", "--to", "2024-01-11", "--target", "97"];
            var (code, output, _) = await RunAsync(window);
            code.Should().Be(0);
            output.Should().Contain("(10 days)").And.Contain("97.5% up").And.Contain("all down 1.25% of the time");
            (await RunAsync([.. window, "--service", "c"])).Error.Should().Contain("--service c: not in");
            (await RunAsync([.. window[..4], "--to", "2023-01-01"])).Error.Should().Contain("does not lie after");
            (await RunAsync([.. window, "--impact", "3"])).Output.Should().Contain("nothing is known against it");

            File.AppendAllText(file, "oops\n");
            var bad = await RunAsync(window);
            bad.ExitCode.Should().Be(2);
            bad.Error.Should().Contain("line 4: 1 fields are too few");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_real_history_shows_what_a_pool_of_two_providers_is_for()
    {
        var file = Repository.Shared("llm-incidents-2023-07-to-2024-05.csv");
        Assert.SkipUnless(file is not null, "the incident history lies outside the repository and is not here");

        var (code, output, _) = await RunAsync(
            "--incidents", file!, "--service", "openai-api", "--service", "anthropic-api", "--from", "2023-07-01", "--to", "2024-06-01", "--target", "99.9");

        // The worked example of docs/availability.md.
        code.Should().Be(0);
        output.Should().Contain("anthropic-api  98.82% up (95%: 98.04% to 99.288%), 33 outages")
            .And.Contain("openai-api     96.34% up (95%: 94.97% to 97.29%), 81 outages")
            .And.Contain("all down 0.0938% of the time; beta 0.045, correlation 0.025")
            .And.Contain("Delivers    99.9023% (three nines)");
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args) => ToolRun.RunAsync(["plan", .. args]);
}
