using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.Tokenizers;

namespace HaKit.Hosting.Tests;

/// <summary>A tokenizer of Microsoft.ML.Tokenizers counts the tokens of requests over HTTP, as docs/limits.md shows.</summary>
public sealed class TokenizerTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_tokenizer_lets_through_what_bytes_would_overestimate()
    {
        // The body has 380 bytes. So it has 95 tokens by the guess, and 48 tokens by the tokenizer: two requests fit into a limit of 120.
        var text = string.Concat(Enumerable.Repeat("internationalisation ", 18));
        (await ReceivedBySecondAsync(text, null)).Should().Be(1);

        var services = new ServiceCollection();
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Models:Endpoints:0:Name", "a")]).Build();
        Count(services, configuration);
        await using var provider = services.BuildServiceProvider();
        var counter = provider.GetRequiredService<Microsoft.Extensions.Options.IOptionsMonitor<EndpointPoolOptions>>().Get("models").Http.CountTokens;
        (await ReceivedBySecondAsync(text, counter)).Should().Be(0);
    }

    private static void Count(IServiceCollection services, IConfiguration configuration)
    {
        var tokenizer = TiktokenTokenizer.CreateForModel("gpt-4o");
        services.AddHaEndpointPool("models", configuration.GetSection("Models"));
        services.Configure<EndpointPoolOptions>("models", options => options.Http.CountTokens = text => tokenizer.CountTokens(text));
    }

    // Makes two calls at once, which are not answered, and returns how many of them went to the second endpoint.
    private static async Task<long> ReceivedBySecondAsync(string text, Func<string, int>? counter)
    {
        using var first = new FakeHttpEndpoint();
        using var second = new FakeHttpEndpoint();
        first.Faults.Always(FakeFault.Hang);
        second.Faults.Always(FakeFault.Hang);
        using var network = new FakeHttpNetwork().Add(new Uri("http://a.test"), first).Add(new Uri("http://b.test"), second);
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false }, Http = { AllowPlainHttp = true, CountTokens = counter } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://a.test/v1", Limits = new() { TokensPerMinute = 120 } });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = "http://b.test/v1", Tier = 1 });
        await using var pool = new EndpointPool("tokens", options);
        using var http = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = network }) { BaseAddress = new Uri("http://a.test/v1/") };
        using var stop = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 2).Select(_ => http.PostAsync(
            "chat/completions", new StringContent($$"""{"messages":[{"role":"user","content":"{{text}}"}]}""", null, "application/json"), stop.Token)).ToArray();
        var received = second.Counts.Received;
        await stop.CancelAsync();
        await Task.WhenAll(calls).ContinueWith(static _ => { }, TaskScheduler.Default);
        return received;
    }
}
