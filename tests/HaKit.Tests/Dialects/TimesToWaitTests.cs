using System.Text;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Tests.Faults;

namespace HaKit.Tests.Dialects;

/// <summary>Tests the forms in which servers and gateways write a time to wait: in a header, in a member of the body, in a sentence.</summary>
public sealed class TimesToWaitTests
{
    [Theory]
    [InlineData("00:00:20", 20)]
    [InlineData("1.00:00:20.5", 86420.5)]
    [InlineData("Thu, 01 Jan 2026 00:00:20 +0000", 20)]
    [InlineData("Thu, 01 Jan 2026 02:00:20 +0200", 20)]
    [InlineData("Thu Jan 01 2026 00:00:20 GMT+0000 (Coordinated Universal Time)", 20)]
    [InlineData("2026-01-01T00:00:20.500000000Z", 20.5)]
    [InlineData("2026-01-01T00:00:20+0000", 20)]
    [InlineData("P1D", 86400)]
    [InlineData("20;", 20)]
    [InlineData("'20'", 20)]
    [InlineData("in 20 seconds", 20)]
    [InlineData("after 20", 20)]
    [InlineData("~20s", 20)]
    [InlineData("00:00:00", 0)]
    [InlineData("25:00:00", 0)]
    [InlineData("1:30 minutes", 0)]
    [InlineData("Pday", 0)]
    [InlineData("soon", 0)]
    public void Retry_After_is_read_in_all_these_forms(string value, double seconds) => Wait(value, "{}").Should().Be(seconds);

    [Theory]
    [InlineData("X-RateLimit-Retry-After: 20", 20)]
    [InlineData("X-AI-RateLimit-Retry-After: 20", 20)]
    [InlineData("X-Retry-After: 20", 20)]
    [InlineData("ratelimitbysize-reset: 20", 20)]
    [InlineData("ratelimitbysize-reset: 20;ratelimitbysize-remaining: 4", 0)]
    [InlineData("anthropic-ratelimit-unified-reset: 1767225620", 20)]
    [InlineData("x-ratelimit-remaining-tokens-minute: 0;x-ratelimit-reset-tokens-minute: 11.5", 11.5)]
    [InlineData("x-ratelimit-remaining-tokens-minute: 9;x-ratelimit-reset-tokens-minute: 11.5", 0)]
    [InlineData("x-ratelimit-remaining-tokens-minute: 0;x-ratelimit-reset-tokens-minute: 11;x-ratelimit-remaining-requests-day: 0;x-ratelimit-reset-requests-day: 33", 33)]
    public void A_429_is_read_with_the_headers_of_its_gateway(string headers, double seconds)
    {
        var lines = headers.Split(';').Select(h => (h[..h.IndexOf(':', StringComparison.Ordinal)], h[(h.IndexOf(':', StringComparison.Ordinal) + 2)..]));
        Classify(Fixture.HeadersOf(lines), "{}").Should().Be(seconds);
    }

    [Theory]
    [InlineData("\"resets_in_seconds\":5400", 5400)]
    [InlineData("\"resets_at\":1767225620", 20)]
    [InlineData("\"resets_at\":1767225620000", 20)]
    [InlineData("\"reset_at\":\"2026-01-01T00:00:20Z\"", 20)]
    [InlineData("\"reset_in\":20", 20)]
    [InlineData("\"retry_after\":\"20s\"", 20)]
    [InlineData("\"retry_after\":1767225620", 20)]
    [InlineData("\"retry_after_ms\":1767225620", 1767225.62)]
    [InlineData("\"retry_after_ms\":1767225620000", 20)]
    [InlineData("\"estimated_time\":20.0", 20)]
    [InlineData("\"details\":{\"retry_after\":20}", 20)]
    [InlineData("\"details\":[{\"retry_after\":20}]", 20)]
    [InlineData("\"metadata\":{\"retry_after_seconds\":20}", 20)]
    [InlineData("\"metadata\":{\"headers\":{\"X-RateLimit-Reset\":\"1767225620000\"}}", 20)]
    [InlineData("\"metadata\":{\"headers\":{\"RETRY-AFTER\":\"20\"}}", 20)]
    [InlineData("\"resets_at\":1767225500", 0)]
    [InlineData("\"reset_at\":\"soon\"", 0)]
    public void A_member_of_the_error_is_read(string member, double seconds) => Wait(null, "{\"error\":{\"message\":\"slow down\"," + member + "}}").Should().Be(seconds);

    [Theory]
    [InlineData("Quota will be replenished in 5.03:23:11.", 444191)]
    [InlineData("Rate limit is exceeded. Try again in 00:00:12.", 12)]
    [InlineData("Your rate limit resets in ~3s.", 3)]
    [InlineData("Please slow down. Retry after: 20 seconds", 20)]
    [InlineData("Too many requests, retry in: 20s", 20)]
    [InlineData("Limit resets at: 2026-01-01 00:00:40 UTC", 40)]
    [InlineData("Try again at 2026-01-01T00:00:40.5Z", 40)]
    [InlineData("Your limit will reset at 2026-01-01T02:00:40+02:00, or upgrade", 40)]
    [InlineData("Try again at 2026-01-01 00:00:40", 0)]
    [InlineData("Try again in 1:30 minutes", 0)]
    [InlineData("It said: \"resets at 2026-01-01 00:00:40 UTC\"", 0)]
    [InlineData("Try again at noon UTC, the last reset at 2025-12-31 00:00:00 UTC", 0)]
    public void A_sentence_is_read(string sentence, double seconds) => Wait(null, $$$"""{"error":{"message":{{{JsonSerializer.Serialize(sentence)}}}}}""").Should().Be(seconds);

    private static double Wait(string? retryAfter, string body) => Classify(retryAfter is null ? null : Fixture.HeadersOf([("Retry-After", retryAfter)]), body);

    // The seconds to wait; 0 for none.
    private static double Classify(System.Net.Http.Headers.HttpResponseHeaders? headers, string body) =>
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = 429, Headers = headers, Body = Encoding.UTF8.GetBytes(body), Dialect = WireDialect.OpenAI, Now = Fixture.Now })?.RetryAfter?.TotalSeconds ?? 0;
}
