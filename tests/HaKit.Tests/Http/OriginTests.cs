using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Tests, over real sockets, that the parts of one endpoint's address are sent to this endpoint alone.</summary>
public sealed class OriginTests
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://api.example/v1?key=planted", "https://api.example/v1")]
    [InlineData("https://api.example/openai/v1/?api-version=2024-10-21", "https://api.example/openai/v1/")]
    [InlineData("https://me:planted@api.example:8443/v1", "https://api.example:8443/v1")]
    [InlineData("https://api.example/deployments/%7Bmodel%7D?sig=planted", "https://api.example/deployments/%7Bmodel%7D")]
    public async Task The_origin_has_no_query_and_no_user_info(string address, string origin)
    {
        foreach (var given in new[] { true, false })
        {
            var options = new EndpointPoolOptions { Heartbeat = { Enabled = false }, Origin = given ? address : null };
            options.Endpoints.Add(new EndpointOptions { Name = "a", Address = given ? "https://other.example/" : address });
            await using var pool = new EndpointPool("p", options);
            pool.Origin.OriginalString.Should().Be(origin);
            using var client = pool.CreateHttpClient();
            client.BaseAddress!.AbsoluteUri.Should().Be(origin.TrimEnd('/') + "/");
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("?key=planted", "", "/v1/chat/completions?key=planted", "/v1/chat/completions")]
    [InlineData("?api-version=1", "?api-version=2", "/v1/chat/completions?api-version=1", "/v1/chat/completions?api-version=2")]
    [InlineData("/?sig=planted", "?x=y", "/v1/chat/completions?sig=planted", "/v1/chat/completions?x=y")]
    public async Task The_query_of_one_endpoint_goes_to_no_other_and_no_part_of_the_path_is_lost(string first, string second, string atFirst, string atSecond)
    {
        using var refusing = new RawServer(new RawAnswer(503, "application/json", "{}"));
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = refusing.Address + first });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = well.Address + second, Tier = 1 });
        await using var pool = new EndpointPool("p", options);
        using var client = pool.CreateHttpClient();
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Whole);
        refusing.Seen.Single().Target.Should().Be(atFirst);
        well.Seen.Single().Target.Should().Be(atSecond);
    }
}
