using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Release.Tests;

/// <summary>The code of the page on streams.</summary>
public sealed class StreamSnippets
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_setting_of_the_page_continues_a_cut_answer()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", options =>
        {
            options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "https://a.example/v1" });
            options.Endpoints.Add(new EndpointOptions { Name = "b", Address = "https://b.example/v1", Tier = 1 });
            options.Streaming.Continuation = StreamContinuation.On;
            options.Endpoints[0].Continuation = Continuation.AssistantPrefix;
            options.Endpoints[1].Continuation = Continuation.AssistantPrefix;
        });
        services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        using var first = new FakeHttpEndpoint();
        using var second = new FakeHttpEndpoint();
        first.Faults.Always(FakeFault.CutAfter(3));
        services.ReplaceHaEndpoints("models", ("a", first), ("b", second));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");

        using var response = await client.PostAsync("chat/completions", new StringContent("""{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}""", null, "application/json"), Ct);

        (await response.Content.ReadAsStringAsync(Ct)).TrimEnd().Should().EndWith("data: [DONE]");
        second.Counts.Received.Should().Be(1);
    }
}
