using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Release.Tests;

/// <summary>The code of the pages on testing, simulation and tuning.</summary>
public sealed class TestingSnippets
{
    private readonly CancellationToken cancellationToken = TestContext.Current.CancellationToken;

    [Fact]
    public void A_policy()
    {
        using var test = TestPools.Create(["main", "standby"], options => options.Endpoints[1].Tier = 1);
        test["main"].Faults.During(TimeSpan.Zero, TimeSpan.FromMinutes(1), FakeFault.Status(503));

        test.Call().Endpoint.Should().Be("standby");
        test.Time.Advance(TimeSpan.FromMinutes(5));
        test.Call().Endpoint.Should().Be("main");
    }

    [Fact]
    public async Task An_outage()
    {
        var services = new ServiceCollection();
        services.AddMyChat();

        await HaDrill.SurvivesAsync(services, "chat", options => options.Faults = [DrillFaults.BlackHole, DrillFaults.Quota.AtRate(0.1)]);

        await HaDrill.SurvivesAsync(services, "chat", options =>
        {
            options.Tiers = [["openai", "azure"], ["standby"]];
            options.Faults = [DrillFaults.Refused, DrillFaults.Slow, DrillFaults.Cut.AtRate(0.1)];
            options.MaxAddedDelay = TimeSpan.FromSeconds(5);
        });
    }

    [Fact]
    public async Task The_whole_matrix()
    {
        var services = new ServiceCollection();
        services.AddMyChat();

        await HaDrill.SurvivesAsync(services, "chat");
    }

    [Fact]
    public void An_application()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", o =>
        {
            o.Endpoints.Add(new() { Name = "main", Address = "https://main.example/v1" });
            o.Endpoints.Add(new() { Name = "standby", Address = "https://standby.example/v1" });
        });
        var main = new FakeHttpEndpoint();
        var standby = new FakeHttpEndpoint();
        services.ReplaceHaEndpoints("chat", ("main", main), ("standby", standby));
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<EndpointPool>().Endpoints.Select(e => e.Name).Should().Equal("main", "standby");
    }

    [Fact]
    public async Task What_goes_wrong()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: cancellationToken);
        server.Faults.Next(2, FakeFaults.OpenAI.RateLimited(retryAfter: TimeSpan.FromSeconds(5)));
        server.Faults.WithProbability(0.05, FakeFault.Reset);
        server.Faults.Always(FakeFault.Latency(toFirstToken: TimeSpan.FromSeconds(3)), where: request => request.Stream);
        using var client = new HttpClient();
        using var response = await client.PostAsync(new Uri(server.Address, "v1/chat/completions"), new StringContent("""{"model":"m","messages":[]}"""), cancellationToken);
        ((int)response.StatusCode).Should().Be(429);
    }

    [Fact]
    public async Task Time()
    {
        var question = "Are you there?";
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, Endpoints = { new EndpointOptions { Name = "a" } }, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(20) } };

        var time = new ManualTimeProvider();
        await using var pool = new EndpointPool("models", options, new EndpointPoolParts { TimeProvider = time });
        var call = pool.ExecuteAsync(question, AskEndpointAsync, cancellationToken).AsTask();
        time.Advance(TimeSpan.FromSeconds(30));

        await call.Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>();
    }

    // Never answers.
    private static async ValueTask<string> AskEndpointAsync(EndpointAttempt attempt, string question, CancellationToken token)
    {
        await new TaskCompletionSource().Task.WaitAsync(token);
        return question;
    }

    [Fact]
    public void A_simulation()
    {
        var result = new Simulation()
            .Endpoints(3, ServiceModel.LogNormal(median: TimeSpan.FromMilliseconds(80), p99: TimeSpan.FromMilliseconds(200)))
            .Fault("e0", FakeFault.Hang, from: TimeSpan.FromSeconds(30), until: TimeSpan.FromSeconds(90))
            .Run(Workload.Poisson(perSecond: 40), TimeSpan.FromMinutes(2));

        result.SuccessRate.Should().Be(1);
        result.AttemptsPerCall.Should().BeLessThan(1.05);
    }

    [Fact]
    public void A_region_that_cannot_be_reached()
    {
        var result = new Simulation(seed: 1)
            .Endpoint("eu", ServiceModel.Tokens(prefillPerSecond: 5000, perSecond: 50), e => { e.Region = "eu"; e.InputTokenPrice = 3; })
            .Endpoint("us", ServiceModel.Tokens(5000, 50).Sharing(20).Quota(tokensPerMinute: 200_000), e => e.Tier = 1)
            .Streams(0.5)
            .FaultOf(e => e.Region == "eu", FakeFault.Refused, from: TimeSpan.FromMinutes(5), until: TimeSpan.FromMinutes(9))
            .Run(Workload.Poisson(perSecond: 2).OfTokens(1000, 200), TimeSpan.FromMinutes(30));

        result["us"].Answered.Should().BePositive();
        result.Unfinished.Should().Be(0);
    }

    [Fact]
    public void Noticing_silence_sooner_pays()
    {
        double Slowest(double multiplier) => new Simulation()
            .Endpoints(3, ServiceModel.LogNormal(median: TimeSpan.FromSeconds(1), p99: TimeSpan.FromSeconds(4)))
            .Options(o => o.FirstContent.Multiplier = multiplier)
            .Fault("e0", FakeFault.Hang, from: TimeSpan.FromMinutes(2), until: TimeSpan.FromMinutes(4))
            .Run(Workload.Poisson(perSecond: 10), TimeSpan.FromMinutes(6))
            .Latency(0.999).TotalSeconds;

        Slowest(multiplier: 1.5).Should().BeLessThan(Slowest(multiplier: 6));
    }
}

/// <summary>Stands for the registration of the reader's application.</summary>
internal static class MyApplication
{
    public static IServiceCollection AddMyChat(this IServiceCollection services)
    {
        services.AddHaEndpointPool("chat", o =>
        {
            o.Endpoints.Add(new() { Name = "openai", Address = "https://api.openai.com/v1" });
            o.Endpoints.Add(new() { Name = "azure", Address = "https://example.openai.azure.com/openai/v1" });
            o.Endpoints.Add(new() { Name = "standby", Address = "https://standby.example/v1", Tier = 1 });
        });
        services.AddHttpClient("ai").AddHaEndpointPoolHandler("chat");
        return services;
    }
}
