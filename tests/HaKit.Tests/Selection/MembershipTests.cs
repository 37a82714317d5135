using HaKit.Faults;
using HaKit.Limits;
using HaKit.Selection;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Selection;

public sealed class MembershipTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    private EndpointPool Pool(string names, Action<EndpointPoolOptions>? configure = null, EndpointPoolParts? parts = null)
    {
        parts ??= new EndpointPoolParts();
        parts.TimeProvider = _time;
        return new EndpointPool("test", Options(names, configure), parts);
    }

    private static EndpointPoolOptions Options(string names, Action<EndpointPoolOptions>? configure = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Selection = { Preset = SelectionPreset.RoundRobin } };
        foreach (var name in names)
            options.Endpoints.Add(new EndpointOptions { Name = name.ToString() });
        configure?.Invoke(options);
        return options;
    }

    private static async Task<string> Serve(EndpointPool pool, int calls)
    {
        var served = "";
        for (var i = 0; i < calls; i++)
            served += await pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct);
        return served;
    }

    [Fact]
    public async Task An_endpoint_added_while_calls_run_takes_its_share()
    {
        await using var pool = Pool("ab");
        (await Serve(pool, 4)).Should().Be("abab");
        pool.AddEndpoint(new EndpointOptions { Name = "c" });
        (await Serve(pool, 6)).Should().Contain("c", Exactly.Twice());
        pool.Invoking(p => p.AddEndpoint(new EndpointOptions { Name = "c" })).Should().Throw<OptionsValidationException>().WithMessage("*2 endpoints of the name 'c'*");
        pool.Endpoints.Should().HaveCount(3);
    }

    [Fact]
    public async Task A_removed_endpoint_gets_nothing_new_and_finishes_what_it_has()
    {
        await using var pool = Pool("ab");
        var answer = new TaskCompletionSource<string>();
        var running = pool.ExecuteAsync(answer, static async (attempt, answer, _) => attempt.Endpoint.Name + await answer.Task, Ct).AsTask();
        pool.RemoveEndpoint("a").Should().BeTrue();
        (await Serve(pool, 4)).Should().Be("bbbb");
        running.IsCompleted.Should().BeFalse();
        answer.SetResult(" to the end");
        (await running).Should().Be("a to the end");
        pool.RemoveEndpoint("a").Should().BeFalse();
        pool.Invoking(p => p.RemoveEndpoint("b")).Should().Throw<InvalidOperationException>().WithMessage("*'b' is its last endpoint*");
    }

    [Fact]
    public async Task Calls_that_wait_go_to_an_endpoint_that_is_added()
    {
        await using var pool = Pool("a", o => o.Endpoints[0].Limits = new LimitOptions { MaxConcurrency = 1 });
        var never = new TaskCompletionSource<string>();
        _ = pool.ExecuteAsync(never, static (_, never, _) => new ValueTask<string>(never.Task), Ct).AsTask();
        var waiting = pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct).AsTask();
        waiting.IsCompleted.Should().BeFalse();
        pool.AddEndpoint(new EndpointOptions { Name = "b" });
        (await waiting).Should().Be("b");
    }

    [Fact]
    public async Task State_survives_a_reload_of_an_unchanged_identity_and_its_pipeline_if_nothing_changed()
    {
        var pipelines = new List<string>();
        await using var pool = Pool("ab", parts: new EndpointPoolParts { ConfigureEndpointPipeline = (_, endpoint) => pipelines.Add(endpoint.Name) });
        for (var i = 0; i < 6; i++)
        {
            await pool.ExecuteAsync(0, static (attempt, _, _) =>
                attempt.Endpoint.Name == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : ValueTask.FromResult(0), Ct);
        }

        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");
        pipelines.Should().Equal("a", "b");

        pool.Update(Options("abc", o => o.Endpoints[1].Weight = 5));
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");
        pool.Endpoints[1].Weight.Should().Be(5);
        pipelines.Should().Equal("a", "b", "b", "c");

        pool.Update(Options("abc", o => o.Endpoints[0].Account = "another"));
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull("it is another endpoint");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reload_whose_strategies_throw_changes_nothing()
    {
        await using var pool = Pool("a", parts: new EndpointPoolParts
        {
            ConfigureEndpointPipeline = (_, endpoint) =>
            {
                if (endpoint.Name == "d")
                    throw new ArgumentException("no strategy for d");
            },
        });
        pool.Invoking(p => p.Update(Options("abd", o =>
        {
            o.Retry.MaxRetryAttempts = 3;
            o.Endpoints[0].Weight = 5;
        }))).Should().Throw<ArgumentException>().WithMessage("no strategy for d");

        pool.Endpoints.Select(e => e.Name).Should().Equal("a");
        pool.Endpoints[0].Weight.Should().Be(1);
        pool.Options.Retry.MaxRetryAttempts.Should().BeNull();
        pool.Options.Endpoints.Should().ContainSingle();
        for (var i = 0; i < 8; i++)
        {
            await Record.ExceptionAsync(() => pool.ExecuteAsync(
                new RequestProfile { MayRepeat = false },
                static (attempt, _) =>
                {
                    attempt.ReportFault(new Fault(FaultKind.ServerError));
                    return ValueTask.FromResult(0);
                },
                Ct).AsTask());
        }
        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull("a is the only endpoint, and the only endpoint is ejected late");
        pool.Update(Options("ab"));
        (await Serve(pool, 4)).Should().Contain("b");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_that_a_reload_lets_continue_may_change_the_pool_itself()
    {
        await using var pool = Pool("a", o => o.Endpoints[0].Credential = "old-key-1234");
        await Serve(pool, 1); // a key that has served gets a trial after five seconds
        await Record.ExceptionAsync(() => pool.ExecuteAsync(
            new RequestProfile { MaxWait = TimeSpan.Zero },
            static (attempt, _) =>
            {
                attempt.ReportFault(new Fault(FaultKind.Unauthorized));
                return ValueTask.FromResult(0);
            },
            Ct).AsTask());
        var waiting = pool.ExecuteAsync(pool, static (attempt, pool, _) =>
        {
            pool.AddEndpoint(new EndpointOptions { Name = "c" });
            return ValueTask.FromResult(attempt.Endpoint.Name);
        }, Ct).AsTask();
        waiting.IsCompleted.Should().BeFalse();

        pool.Update(Options("ab", o => o.Endpoints[0].Credential = "new-key-1234"));
        (await waiting).Should().BeOneOf("a", "b");
        pool.Endpoints.Select(e => e.Name).Should().Equal("a", "b", "c");
        pool.Options.Endpoints.Select(e => e.Name).Should().Equal("a", "b", "c");
    }

    [Fact]
    public async Task Endpoints_of_an_account_share_its_limits_and_keep_what_was_spent_over_a_reload()
    {
        static void Shared(EndpointPoolOptions options)
        {
            options.Endpoints[0].Account = options.Endpoints[1].Account = "shared";
            options.AccountLimits["shared"] = new LimitOptions { RequestsPerMinute = 5 };
        }

        await using var pool = Pool("abc", Shared);
        (await Serve(pool, 12)).Where(name => name != 'c').Should().HaveCount(5);
        pool.Explain(RequestProfile.Default).Select(e => e.NotAdmittedBy).Should().Equal("limit", "limit", null);
        pool.Update(Options("abc", Shared));
        (await Serve(pool, 3)).Should().Be("ccc");
        _time.Advance(TimeSpan.FromSeconds(61));
        (await Serve(pool, 12)).Where(name => name != 'c').Should().HaveCount(5);
        pool.Update(Options("abc"));
        (await Serve(pool, 3)).Should().Contain("a").And.Contain("b");
    }

    [Fact]
    public void Options_say_what_is_wrong_with_them_and_where()
    {
        var options = Options("ab", o =>
        {
            o.Selection = new SelectionOptions { Sample = 0, OverProvisioning = 0.5, FailOpenBelow = 2, AffinityLoad = 0, ZonePenalty = -TimeSpan.FromSeconds(1), SecondsPerPrice = -1, Preset = (SelectionPreset)99 };
            o.Scale = new ScaleOptions { TargetUtilization = 0, TargetInFlight = 0, Interval = TimeSpan.Zero };
            o.AccountLimits["nobody"] = new LimitOptions { MaxConcurrency = 0 };
        });
        var wrong = options.Validate("p");
        foreach (var setting in new[] { "Selection:Sample is 0", "Selection:OverProvisioning is 0.5", "Selection:FailOpenBelow is 2", "Selection:AffinityLoad is 0",
            "Selection:ZonePenalty is -1 s", "Selection:SecondsPerPrice is -1", "Selection:Preset is 99", "Scale:TargetUtilization is 0", "Scale:TargetInFlight is 0",
            "Scale:Interval is 0 s", "AccountLimits:nobody:MaxConcurrency is 0", "account 'nobody', which no endpoint has" })
        {
            wrong.Should().ContainSingle(w => w.Contains(setting));
        }

        wrong.Should().HaveCount(12);
    }

    private sealed class AlwaysLast : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => candidates.Length - 1;
    }

    [Fact]
    public async Task Configuration_and_a_selector_of_ones_own_come_through_the_container()
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Endpoints:0:Name"] = "a",
            ["Endpoints:0:Account"] = "acme",
            ["Endpoints:1:Name"] = "b",
            ["Selection:Preset"] = "Priority",
            ["Selection:ZonePenalty"] = "00:00:00.2",
            ["AccountLimits:acme:RequestsPerMinute"] = "3",
            ["Scale:TargetInFlight"] = "4",
        }).Build();
        var services = new ServiceCollection();
        services.AddHaEndpointPool("configured", section);
        services.AddHaEndpointPool("own", section).UseSelector<AlwaysLast>();
        await using var provider = services.BuildServiceProvider();
        var configured = provider.GetRequiredKeyedService<EndpointPool>("configured");
        (await Serve(configured, 5)).Should().Be("aaabb");
        configured.Options.Selection.ZonePenalty.Should().Be(TimeSpan.FromSeconds(0.2));
        (await Serve(provider.GetRequiredKeyedService<EndpointPool>("own"), 3)).Should().Be("bbb");
    }
}
