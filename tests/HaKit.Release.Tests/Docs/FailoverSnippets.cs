using System.Net;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace HaKit.Release.Tests;

/// <summary>The code of the pages on failover and migration.</summary>
public sealed class FailoverSnippets
{
    private readonly CancellationToken cancellationToken = TestContext.Current.CancellationToken;
    private readonly string question = "Are you there?";

    private static EndpointPool NewPool(Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new() { Name = "a" });
        options.Endpoints.Add(new() { Name = "b", Tier = 1 });
        configure?.Invoke(options);
        var given = new EndpointPoolParts();
        parts?.Invoke(given);
        return new EndpointPool("models", options, given);
    }

    // The first endpoint is overloaded.
    private static ValueTask<string> AskAsync(PoolEndpoint endpoint, string question, CancellationToken token) =>
        endpoint.Name == "a" ? throw new HttpRequestException("busy", null, HttpStatusCode.ServiceUnavailable) : new($"{endpoint.Name}: {question}");

    private static ValueTask<string> AskEndpointAsync(EndpointAttempt attempt, string question, CancellationToken token) => AskAsync(attempt.Endpoint, question, token);

    private static async ValueTask<IAsyncEnumerable<string>> OpenAsync(EndpointAttempt attempt, string question, CancellationToken token)
    {
        await AskAsync(attempt.Endpoint, question, token);
        return Lines();

        static async IAsyncEnumerable<string> Lines()
        {
            await Task.CompletedTask;
            yield return "";
            yield return "yes";
            yield return "[DONE]";
        }
    }

    [Fact]
    public async Task A_callback_is_run_where_it_succeeds()
    {
        await using var pool = NewPool();
        var answer = await pool.ExecuteAsync(
            new RequestProfile { Deadline = TimeSpan.FromSeconds(20) },
            question,
            static (attempt, question, token) => AskAsync(attempt.Endpoint, question, token),
            cancellationToken);
        answer.Should().Be("b: Are you there?");
    }

    [Fact]
    public async Task A_detail_tells_how_it_came_about()
    {
        await using var pool = NewPool();
        var (answer, detail) = await pool.ExecuteWithDetailAsync(RequestProfile.Default, question, AskEndpointAsync, cancellationToken);
        Console.WriteLine($"{detail.Endpoint} after {detail.Attempts.Count} attempts, waited {detail.Waited}, perhaps billed in vain: {detail.PerhapsBilled}");

        answer.Should().StartWith("b");
        detail.Attempts.Should().HaveCount(2);
        detail.PerhapsBilled.Should().Be(0, "a 503 was refused before the work");
    }

    [Fact]
    public async Task A_policy_of_ones_own_says_what_is_done()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Models:Endpoints:0:Name"] = "a",
            ["Models:Endpoints:1:Name"] = "b",
            ["Models:Heartbeat:Enabled"] = "false",
        }).Build();
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", configuration.GetSection("Models"))
            .OnFault((fault, profile) => fault.Kind switch
            {
                FaultKind.ServerError when profile.Tags.Contains("batch") => FaultAction.Wait,
                FaultKind.ModelNotFound => FaultAction.Return,
                _ => null,
            });
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredKeyedService<EndpointPool>("models");
        var attempts = await pool.ExecuteAsync(0, static (attempt, _, _) =>
        {
            attempt.ReportFault(new Fault(FaultKind.ModelNotFound));
            return new ValueTask<int>(attempt.Number);
        }, cancellationToken);
        attempts.Should().Be(1, "it went back after the first attempt");
    }

    [Fact]
    public async Task A_stream_is_read_like_any_other()
    {
        await using var pool = NewPool();
        var profile = RequestProfile.Default;
        await using var stream = await pool.StreamAsync(profile, question, OpenAsync, new LineReader(), cancellationToken);
        await foreach (var line in stream)
            Console.WriteLine(line);
        stream.Detail.Endpoint.Should().Be("b");
    }

    [Fact]
    public async Task Strategies_of_ones_own_go_outside_and_inside()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Models:Endpoints:0:Name"] = "a" }).Build();
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", configuration.GetSection("Models"))
            .ConfigurePipeline(pipeline => pipeline.AddTimeout(TimeSpan.FromMinutes(3)))
            .ConfigureEndpointPipeline((pipeline, endpoint) => pipeline.AddCircuitBreaker(new CircuitBreakerStrategyOptions { Name = endpoint.Name }));
        await using var provider = services.BuildServiceProvider();
        (await provider.GetRequiredKeyedService<EndpointPool>("models").ExecuteAsync(1, static (_, one, _) => new ValueTask<int>(one), cancellationToken)).Should().Be(1);
    }

    [Fact]
    public async Task A_message_says_what_was_tried_and_nothing_secret()
    {
        await using var pool = NewPool(o => o.Retry.MaxRetryAttempts = 1);
        var failure = (await pool.Awaiting(p => p.ExecuteAsync<string, string>(question, (attempt, _, _) => throw new HttpRequestException("the prompt was: " + question, null, HttpStatusCode.ServiceUnavailable), cancellationToken).AsTask())
            .Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        failure.Message.Should().MatchRegex("^Pool 'models': all 2 attempts failed. Wait rules: AttemptsUsedUp\\.\\s+Tried:\\s+a: Overloaded \\(503\\) after [0-9.]+ .?s\\s+b: Overloaded \\(503\\) after [0-9.]+ .?s$").And.NotContain("Are you there");
        failure.Endpoints.Should().HaveCount(2);
        failure.InnerException.Should().BeOfType<HttpRequestException>();
    }

    [Fact]
    public async Task A_pipeline_of_ones_own_can_hold_the_failover()
    {
        await using var pool = NewPool();
        var pipeline = new ResiliencePipelineBuilder<string>()
            .AddEndpointFailover(pool)
            .Build();
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.SetRequestProfile(new RequestProfile { Deadline = TimeSpan.FromSeconds(20) });
        var answer = await pipeline.ExecuteAsync(async context => await AskAsync(context.GetEndpointAttempt().Endpoint, question, context.CancellationToken), context);
        ResilienceContextPool.Shared.Return(context);
        answer.Should().StartWith("b");
    }

    [Fact]
    public async Task What_one_writes_by_hand_asks_the_same_endpoint_again()
    {
        var retry = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = args => ValueTask.FromResult(args.Outcome is { Exception: HttpRequestException } or { Result.StatusCode: HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError }),
                MaxRetryAttempts = 5,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>())
            .AddTimeout(TimeSpan.FromSeconds(30))
            .Build();
        using var response = await retry.ExecuteAsync(_ => new ValueTask<HttpResponseMessage>(new HttpResponseMessage()), cancellationToken);
        response.IsSuccessStatusCode.Should().BeTrue();
    }

    [Fact]
    public void A_pool_goes_under_a_client_of_the_factory()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Models:Endpoints:0:Name"] = "a", ["Models:Endpoints:0:Address"] = "http://127.0.0.1:1/v1" }).Build();
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", configuration.GetSection("Models"));
        services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");
        client.Timeout.Should().Be(Timeout.InfiniteTimeSpan);
        client.BaseAddress.Should().Be(new Uri("http://127.0.0.1:1/v1/"));
    }
}

public sealed class LineReader : StreamItemReader<string>
{
    public override StreamSignal Read(string item) =>
        item.Length == 0 ? StreamSignal.None : item == "[DONE]" ? StreamSignal.End : StreamSignal.Content;
}
