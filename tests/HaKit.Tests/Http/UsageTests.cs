using System.Text;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>Tests the counts of tokens from a provider's prompt cache, with the names of each dialect.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("""{"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":1,"cached_tokens":64}}""", 100L, 5L, 64L)]
    [InlineData("""{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":5}""", 100L, 5L, 64L)]
    [InlineData("""{"input_tokens":36,"cache_creation_input_tokens":0,"cache_read_input_tokens":64,"output_tokens":5}""", 100L, 5L, 64L)]
    [InlineData("""{"input_tokens":6,"cache_creation_input_tokens":30,"cache_read_input_tokens":64,"output_tokens":5}""", 100L, 5L, 64L)]
    [InlineData("""{"cache_creation_input_tokens":94,"cache_creation":{"ephemeral_5m_input_tokens":94},"output_tokens":5,"input_tokens":6}""", 100L, 5L, null)]
    [InlineData("""{"inputTokens":6,"outputTokens":5,"totalTokens":105,"cacheReadInputTokens":64,"cacheWriteInputTokens":30}""", 100L, 5L, 64L)]
    [InlineData("""{"inputTokens":100,"outputTokens":5,"totalTokens":105}""", 100L, 5L, null)]
    [InlineData("""{"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":64},"cache_creation_input_tokens":30,"cache_read_input_tokens":64}""", 100L, 5L, 64L)]
    [InlineData("""{"output_tokens":5,"cache_read_input_tokens":64}""", null, 5L, 64L)]
    [InlineData("""{"input_tokens":9223372036854775807,"cache_read_input_tokens":9223372036854775807,"output_tokens":5}""", long.MaxValue, 5L, long.MaxValue)]
    [InlineData("""{"promptTokenCount":100,"cachedContentTokenCount":64,"candidatesTokenCount":5}""", 100L, 5L, 64L)]
    [InlineData("""{"promptTokenCount":55021,"candidatesTokenCount":923,"thoughtsTokenCount":785,"totalTokenCount":56729}""", 55021L, 1708L, null)]
    [InlineData("""{"thoughtsTokenCount":785,"candidatesTokenCount":923,"promptTokenCount":55021}""", 55021L, 1708L, null)]
    [InlineData("""{"promptTokenCount":100,"thoughtsTokenCount":785}""", 100L, 785L, null)]
    [InlineData("""{"promptTokenCount":100,"toolUsePromptTokenCount":30,"candidatesTokenCount":5,"cachedContentTokenCount":64}""", 130L, 5L, 64L)]
    [InlineData("""{"toolUsePromptTokenCount":30,"promptTokenCount":100,"candidatesTokenCount":5}""", 130L, 5L, null)]
    [InlineData("""{"promptTokenCount":100,"candidatesTokenCount":9223372036854775807,"thoughtsTokenCount":9223372036854775807}""", 100L, long.MaxValue, null)]
    [InlineData("""{"prompt_tokens":100,"prompt_cache_hit_tokens":64,"completion_tokens":5}""", 100L, 5L, 64L)]
    [InlineData("""{"prompt_tokens":100,"completion_tokens":5}""", 100L, 5L, null)]
    [InlineData("""{"prompt_tokens":100,"prompt_tokens_details":null,"completion_tokens":5}""", 100L, 5L, null)]
    [InlineData("""{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":-3,"x":[{"cached_tokens":9}]},"completion_tokens":5}""", 100L, 5L, null)]
    [InlineData("""{"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":"64"},"completion_tokens":5}""", 100L, 5L, null)]
    [InlineData("""{"prompt_tokens":100,"prompt_tokens_details":{"cached_tok""", 100L, null, null)]
    public void Cached_tokens_are_read_and_nothing_else_is_lost(string usage, long? input, long? output, long? cached)
    {
        JsonOutline.TryReadUsage(Encoding.UTF8.GetBytes(usage), out var i, out var o, out var c);
        (i, o, c).Should().Be((input, output, cached));
    }

    [Theory]
    [InlineData(WireDialect.Anthropic, "a")]
    [InlineData(WireDialect.Bedrock, "a")]
    [InlineData(WireDialect.OpenAI, "b")]
    [InlineData(WireDialect.Unknown, "b")]
    public async Task Cached_tokens_use_up_a_limit_only_where_the_provider_counts_them(WireDialect dialect, string next)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Dialect = dialect, Limits = new() { TokensPerMinute = 1000 } });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Tier = 1 });
        await using var pool = new EndpointPool("cached", options, new EndpointPoolParts { TimeProvider = new HaKit.Testing.ManualTimeProvider() });
        async Task<string> AskAsync() => await pool.ExecuteAsync(0, static (attempt, _, _) =>
        {
            attempt.ReportUsage(2000, 10, 1900);
            return new ValueTask<string>(attempt.Endpoint.Name);
        }, TestContext.Current.CancellationToken);

        (await AskAsync()).Should().Be("a");
        (await AskAsync()).Should().Be(next);
    }
}
