using System.Text;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>Tokens that a provider's prompt cache held, in the words of each dialect.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("""{"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":1,"cached_tokens":64}}""", 100L, 5L, 64L)]
    [InlineData("""{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":5}""", 100L, 5L, 64L)]
    [InlineData("""{"input_tokens":36,"cache_creation_input_tokens":0,"cache_read_input_tokens":64,"output_tokens":5}""", 36L, 5L, 64L)]
    [InlineData("""{"promptTokenCount":100,"cachedContentTokenCount":64,"candidatesTokenCount":5}""", 100L, 5L, 64L)]
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
}
