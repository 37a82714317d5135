using HaKit.Dialects;

namespace HaKit.Tests.Faults;

/// <summary>Tests which source of the time to wait is used if an answer has several, and the limits of each source.</summary>
public sealed class RetryAfterSourcesTests
{
    private static void Check(int status, string body, double? seconds, params (string Name, string Value)[] headers) =>
        Classified.Answer(status, body, headers: headers)!.RetryAfter.Should().Be(seconds is { } wait ? TimeSpan.FromSeconds(wait) : null, body);

    [Theory]
    [InlineData("""{"error":{"message":"x","retry_after":12,"retry_after":20}}""", 20d)]
    [InlineData("""{"error":{"message":"x","retry_after":12,"retry_after":"20s"}}""", 20d)]
    [InlineData("""{"error":{"message":"x","retry_after":"20s","retry_after":12}}""", 12d)]
    [InlineData("""{"error":{"message":"x","retry_after":12,"retry_after":"soon"}}""", 12d)]
    [InlineData("""{"error":{"message":"x","retry_after":12,"retry_after":null}}""", 12d)]
    [InlineData("""{"error":{"message":"x","tokens":5000}}""", null)]
    [InlineData("""{"message":"x","tokens":5000}""", null)]
    [InlineData("""{"error":{"message":"Try again in 7s","retry_after":12}}""", 12d)]
    [InlineData("""{"error":{"message":"Error code: 429 - {'message': 'please wait 12 seconds'}"}}""", 12d)]
    [InlineData("""{"error":{"message":"Error code: 429 - retry after 7 seconds {'message': 'try again in 3 seconds'}"}}""", 7d)]
    [InlineData("""{"error":{"message":"Error - {'message': 'please wait 12 seconds'}"}}""", null)]
    public void Member_of_the_body_goes_before_a_sentence_and_the_last_readable_member_counts(string body, double? seconds) => Check(429, body, seconds);

    [Theory]
    [InlineData(429, "Please wait 10 seconds", 10d)]
    [InlineData(503, "Please wait 10 seconds", 10d)]
    [InlineData(402, "Please wait 10 seconds", 10d)]
    [InlineData(500, "Please wait 10 seconds", null)]
    [InlineData(500, "Try again in 10 seconds", 10d)]
    [InlineData(400, "Try again in 10 seconds", null)]
    public void Sentence_about_waiting_counts_only_if_a_limit_or_an_overload_refused_the_request(int status, string message, double? seconds) =>
        Check(status, $$"""{"error":{"message":"{{message}}"} }""", seconds);

    [Theory]
    [InlineData(0, 5d)]
    [InlineData(1, null)]
    public void Time_is_read_up_to_the_length_of_the_longest_word(int more, double? seconds)
    {
        var zeros = new string('0', ErrorSigns.LongestWord - 2 + more);
        Check(429, $$"""{"error":{"message":"x","details":[{"retryDelay":"{{zeros}}5s"}]} }""", seconds);
        Check(429, $$"""{"error":{"message":"x","retry_after":"{{zeros}}5s"} }""", seconds);
        Check(429, $$"""{"error":{"message":"x","retry_after":5.{{zeros}}} }""", seconds);
    }

    [Fact]
    public void Reset_of_a_used_up_limit_goes_before_a_plain_reset()
    {
        const string body = """{"error":{"message":"x"}}""";
        Check(429, body, 6, ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6s"), ("RateLimit-Reset", "30"));
        Check(429, body, 30, ("x-ratelimit-remaining-requests", "1"), ("x-ratelimit-reset-requests", "6s"), ("RateLimit-Reset", "30"));
        Check(429, body, 2, ("Retry-After", "2"), ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6s"));
        Check(503, body, null, ("RateLimit-Reset", "30"));
    }
}
