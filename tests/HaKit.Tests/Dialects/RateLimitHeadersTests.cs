using HaKit.Dialects;
using HaKit.Tests.Faults;

namespace HaKit.Tests.Dialects;

public sealed class RateLimitHeadersTests
{
    private static RateLimitHeaders Read(WireDialect dialect, params (string, string)[] headers) =>
        RateLimitHeaders.Read(Fixture.HeadersOf(headers), dialect, Fixture.Now);

    private static double? Seconds(params (string, string)[] headers) =>
        RateLimitHeaders.ReadRetryAfter(Fixture.HeadersOf(headers), Fixture.Now)?.TotalSeconds;

    [Theory]
    [InlineData("120", 120d)]
    [InlineData("1.5", 1.5)]
    [InlineData(" 3 ", 3d)]
    [InlineData("86400", 86400d)]
    [InlineData("1m30s", 90d)]
    [InlineData("Thu, 01 Jan 2026 00:00:30 GMT", 30d)]
    [InlineData("Thursday, 01-Jan-26 00:00:30 GMT", 30d)]
    [InlineData("Thu Jan  1 00:00:30 2026", 30d)]
    [InlineData("Thu, 01 Jan 2026 00:00:00 GMT", null)]
    [InlineData("Wed, 31 Dec 2025 23:59:59 GMT", null)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("NaN", null)]
    [InlineData("Infinity", null)]
    [InlineData("1e3", null)]
    [InlineData("\"120\"", 120d)]
    [InlineData("PT2M", 120d)]
    [InlineData("20sec", 20d)]
    [InlineData("20 s", 20d)]
    [InlineData("2026-01-01 00:00:40 UTC", 40d)]
    [InlineData("2026-01-01 00:00:40", 40d)]
    [InlineData("PT", null)]
    [InlineData("\"", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    [InlineData("99999999999999999999999999", 365 * 86400d)]
    public void Retry_after_is_read_in_every_form(string value, double? seconds) => Seconds(("Retry-After", value)).Should().Be(seconds);

    [Theory]
    [InlineData("1767225620000", 20d)]
    [InlineData("1767225620500", 20.5)]
    [InlineData("1767225620000000", 20d)]
    [InlineData("1767225590000", null)]
    [InlineData("2000", 2d)]
    [InlineData("-1767225620000", null)]
    [InlineData("99999999999999999999999999", null)]
    public void A_wait_in_milliseconds_may_be_an_instant(string value, double? seconds)
    {
        foreach (var name in (string[])["retry-after-ms", "x-ms-retry-after-ms"])
        {
            Seconds((name, value)).Should().Be(seconds, name);
            Seconds((name, value), ("Retry-After", "7")).Should().Be(seconds ?? 7, name);
            Seconds((name, value), ("Date", "Thu, 01 Jan 2026 00:00:10 GMT")).Should().Be(value.StartsWith("17", StringComparison.Ordinal) && seconds is not null ? seconds - 10 : seconds, name);
        }
    }

    [Theory]
    [InlineData("Thu, 01 Jan 2026 00:00:30 GMT", 30d)]
    [InlineData("Wed, 31 Dec 2025 00:00:30 GMT", null)]
    [InlineData("2026-01-01T00:00:30Z", 30d)]
    [InlineData("1767225630000000", 30d)]
    [InlineData("1767225630000000000", 30d)]
    [InlineData("Tuesday", null)]
    public void A_reset_may_be_a_date_or_a_Unix_time(string value, double? seconds) =>
        Read(WireDialect.OpenAI, ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", value)).ResetOfExhausted?.TotalSeconds.Should().Be(seconds);

    [Theory]
    [InlineData("Please try again in 1,200 seconds", 1200d)]
    [InlineData("try again in 1,200.5s", 1200.5)]
    [InlineData("try again in 1,200,300 ms", 1200.3)]
    [InlineData("try again in 12,000", 12000d)]
    [InlineData("try again in 1,20 seconds", 1d)]
    [InlineData("try again in 5, 300 seconds", 5d)]
    [InlineData("try again in 1,2000 seconds", 1d)]
    [InlineData("try again in 5,289s", 5d)] // a decimal comma
    public void A_number_in_a_sentence_may_have_separators(string sentence, double seconds) => Durations.InSentence(sentence, isLimit: true)?.TotalSeconds.Should().Be(seconds);

    [Theory]
    [InlineData("limit=10, remaining=0, reset=21", 21d)]
    [InlineData("\"default\";r=0;t=20", 20d)]
    [InlineData("limit=10, remaining=3, reset=21", null)]
    [InlineData("limit=10, remaining=0, reset=999999999", 365 * 86400d)]
    [InlineData("limit=10, remaining=0, reset=1767225660", null)] // seconds, never an instant
    [InlineData("limit=10, remaining=0, reset=999999999921", null)]
    [InlineData("limit=10, remaining=0, reset=", null)]
    [InlineData("\"burst\";r=5;t=2, \"day\";r=0;t=900", 900d)]
    [InlineData("\"day\";r=0;t=900, \"burst\";r=5;t=2", 900d)]
    [InlineData("\"burst\";r=0;t=2, \"day\";r=0;t=900", 900d)]
    [InlineData("\"day\";r=0;t=900, \"burst\";r=0;t=2", 900d)]
    [InlineData("\"burst\";r=5;t=2, \"day\";r=7;t=900", null)]
    [InlineData("\"burst\";r=0;t=2, \"day\";t=900", 2d)]
    [InlineData("\"burst\";t=2, \"day\";t=900", 900d)]
    [InlineData("\"burst\";r=0, \"day\";r=5;t=900", null)]
    [InlineData("burst;r=5;t=2,day;r=0;t=900", 900d)]
    [InlineData("\"a,b;r=0;t=3600\";r=5;t=2, \"c\\\"d,e\";r=0;t=9", 9d)]
    [InlineData("\"x\";t=900;r=0;pk=:cGFydA==:, \"y\" ; r=3 ; t=1", 900d)]
    [InlineData("limit=10, remaining=0, reset=21, limit=100, remaining=5, reset=300", 21d)]
    [InlineData("limit=10, remaining=4, reset=21, limit=100, remaining=0, reset=300", 300d)]
    [InlineData("\"burst\";r=5;t=2\n\"day\";r=0;t=900", 900d)]
    [InlineData("limit=10, remaining=5, reset=21\nlimit=100, remaining=0, reset=300", 300d)]
    [InlineData("\"unclosed;r=0;t=20", null)]
    [InlineData(", ;=;r=;t=0x1,=,r=0", null)]
    public void The_header_of_the_drafts_names_seconds_and_every_policy_that_is_used_up_counts(string lines, double? seconds) =>
        RateLimitHeaders.ReadPlainReset(Fixture.HeadersOf(lines.Split('\n').Select(static line => ("RateLimit", line))), Fixture.Now).Should().Be(seconds is { } s ? TimeSpan.FromSeconds(s) : null);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_order_of_the_policies_and_their_lines_do_not_matter(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var policies = Enumerable.Range(0, random.Next(1, 6)).Select(i => (Name: $"\"p{i}\"", Left: random.Next(3) == 0 ? random.Next(100) : 0, Reset: random.Next(1, 10_000))).ToArray();
            double? expected = policies.Where(static p => p.Left == 0).Max(static p => (double?)p.Reset);
            random.Shuffle(policies);
            var items = policies.Select(p => random.Next(2) == 0 ? $"{p.Name};r={p.Left};t={p.Reset}" : $"{p.Name}; t={p.Reset};q=5; r={p.Left}").ToArray();
            var lines = new List<(string, string)>();
            for (var i = 0; i < items.Length;)
            {
                var count = random.Next(1, items.Length - i + 1);
                lines.Add(("RateLimit", string.Join(random.Next(2) == 0 ? "," : ", ", items[i..(i + count)])));
                i += count;
            }
            (RateLimitHeaders.ReadPlainReset(Fixture.HeadersOf(lines), Fixture.Now)?.TotalSeconds).Should().Be(expected, string.Join(" | ", lines));
        }
    }

    [Fact]
    public void Milliseconds_go_before_seconds_and_what_lies_behind_is_dropped()
    {
        Seconds(("retry-after-ms", "1500.5"), ("x-ms-retry-after-ms", "9000"), ("Retry-After", "60")).Should().Be(1.5005);
        Seconds(("x-ms-retry-after-ms", "9000"), ("Retry-After", "60")).Should().Be(9);
        Seconds(("retry-after-ms", "-1"), ("x-ms-retry-after-ms", "0"), ("Retry-After", "60")).Should().Be(60);
        Seconds().Should().BeNull();
    }

    [Fact]
    public void Dates_count_from_the_answer_s_own_date()
    {
        Seconds(("Date", "Thu, 01 Jan 2026 03:00:00 GMT"), ("Retry-After", "Thu, 01 Jan 2026 03:00:10 GMT")).Should().Be(10);
        Seconds(("Date", "nonsense"), ("Retry-After", "Thu, 01 Jan 2026 00:00:10 GMT")).Should().Be(10);
        RateLimitHeaders.ReadRetryAfter(Fixture.HeadersOf([("Retry-After", "Thu, 01 Jan 2026 00:00:10 GMT")]), default)
            .Should().BeNull("without any clock a date says nothing");
    }

    [Theory]
    [InlineData("6ms", 0.006)]
    [InlineData("1s", 1d)]
    [InlineData("6m0s", 360d)]
    [InlineData("2m59.56s", 179.56)]
    [InlineData("10h17m5.723541104s", 37025.7235411)]
    [InlineData("1d2h", 93600d)]
    [InlineData("250us", 0.00025)]
    [InlineData("250µs", 0.00025)]
    [InlineData("1h", 3600d)]
    [InlineData("60", 60d)]
    public void Reset_is_read_as_a_Go_duration_or_as_whole_seconds(string value, double seconds) =>
        Read(WireDialect.OpenAI, ("x-ratelimit-reset-tokens", value)).Tokens.Reset!.Value.TotalSeconds.Should().BeApproximately(seconds, 1e-6);

    [Theory]
    [InlineData("0s")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("5x")]
    [InlineData("ms")]
    [InlineData("1.2.3s")]
    [InlineData("")]
    public void Reset_that_is_unknown_or_past_is_dropped(string value) =>
        Read(WireDialect.OpenAI, ("x-ratelimit-reset-tokens", value)).Tokens.Reset.Should().BeNull();

    [Fact]
    public void OpenAI_s_dimensions_are_read()
    {
        var read = Read(WireDialect.OpenAI,
            ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"), ("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "6m0s"));
        read.Requests.Should().Be(new RateLimitWindow(60, 59, TimeSpan.FromSeconds(1)));
        read.Tokens.Should().Be(new RateLimitWindow(150000, 149984, TimeSpan.FromMinutes(6)));
        read.ResetOfExhausted.Should().BeNull("nothing is used up");
    }

    [Fact]
    public void Azure_s_minus_one_and_nought_are_unknown()
    {
        var read = Read(WireDialect.AzureOpenAI,
            ("x-ratelimit-limit-requests", "0"), ("x-ratelimit-remaining-requests", "-1"), ("x-ratelimit-reset-requests", "-1"),
            ("x-ratelimit-limit-tokens", "-1"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "0"));
        read.Requests.Should().Be(default(RateLimitWindow));
        read.Tokens.Should().Be(default(RateLimitWindow));
        Read(WireDialect.AzureOpenAI, ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "12")).ResetOfExhausted
            .Should().Be(TimeSpan.FromSeconds(12));
    }

    [Fact]
    public void Anthropic_s_dimensions_are_read_and_a_reset_in_the_past_is_over()
    {
        (string, string)[] headers =
        [
            ("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "0"), ("anthropic-ratelimit-requests-reset", "2025-12-31T23:59:59Z"),
            ("anthropic-ratelimit-input-tokens-limit", "20000"), ("anthropic-ratelimit-input-tokens-remaining", "0"), ("anthropic-ratelimit-input-tokens-reset", "2026-01-01T00:00:40Z"),
            ("anthropic-ratelimit-output-tokens-limit", "8000"), ("anthropic-ratelimit-output-tokens-remaining", "0"), ("anthropic-ratelimit-output-tokens-reset", "2026-01-01T02:00:20.5+02:00"),
            ("anthropic-ratelimit-tokens-limit", "28000"), ("anthropic-ratelimit-tokens-remaining", "1000"), ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:01:00Z"),
        ];
        foreach (var dialect in new[] { WireDialect.Anthropic, WireDialect.Unknown })
        {
            var read = Read(dialect, headers);
            read.Requests.Should().Be(new RateLimitWindow(50, null, null));
            read.InputTokens.Should().Be(new RateLimitWindow(20000, 0, TimeSpan.FromSeconds(40)));
            read.OutputTokens.Should().Be(new RateLimitWindow(8000, 0, TimeSpan.FromSeconds(20.5)));
            read.Tokens.Should().Be(new RateLimitWindow(28000, 1000, TimeSpan.FromMinutes(1)));
            read.ResetOfExhausted.Should().Be(TimeSpan.FromSeconds(40), "no request fits before all of the used up are back");
        }
    }

    [Theory]
    [InlineData("Please try again in 5.289s.", 5.289)]
    [InlineData("Please retry in 10h17m5.723541104s.", 37025.7235411)]
    [InlineData("Please retry after 26 seconds.", 26d)]
    [InlineData("Rate limit is exceeded. Try again in 30 seconds.", 30d)]
    [InlineData("Try again in 1 minute", 60d)]
    [InlineData("retry after 2 hours", 7200d)]
    [InlineData("retry after 1 day", 86400d)]
    [InlineData("try again in 500 milliseconds", 0.5)]
    [InlineData("try again in 500 ms", 0.5)]
    [InlineData("try again in 6ms", 0.006)]
    [InlineData("retry after 15", 15d)]
    [InlineData("Please try again in a moment, or retry in 3s", 3d)]
    [InlineData("Please try again in 5 mins.", 300d)]
    [InlineData("Try again in 1.5 min", 90d)]
    [InlineData("You can try again after 2 hrs", 7200d)]
    [InlineData("try again in 1m 30s", 90d)]
    [InlineData("Please retry after 1 hour, 5 minutes and 2 seconds. 3 requests are allowed.", 3902d)]
    [InlineData("try again in 20s. 5 s is the limit of a request", 20d)]
    [InlineData("Please wait 10 seconds before you retry", 10d)]
    [InlineData("Please wait for about 10s", 10d)]
    [InlineData("Rate limit exceeded, please wait at least 1 minute", 60d)]
    [InlineData("The limit resets in 17 sec", 17d)]
    [InlineData("Please retry your request in 30 seconds", 30d)]
    [InlineData("Capacity is available in 3 regions", null)]
    [InlineData("The queue is full: you wait 3rd in line", null)]
    [InlineData("Model is loading, available in 20 s", 20d)]
    [InlineData("try again in 1.2.3s", null)]
    [InlineData("try again in 20 bananas", 20d)]
    [InlineData("Please try again later", null)]
    [InlineData("try again in ", null)]
    [InlineData("try again in .", null)]
    [InlineData("try again in -5s", null)]
    public void Wait_is_found_in_a_sentence(string sentence, double? seconds)
    {
        var wait = Durations.InSentence(sentence, isLimit: true)?.TotalSeconds;
        if (seconds is null)
            wait.Should().BeNull();
        else
            wait.Should().BeApproximately(seconds.Value, 1e-6);
    }

    [Theory]
    [InlineData("The upstream did not answer after a wait 30 s long", null)]
    [InlineData("connection reset in 2 seconds", null)]
    [InlineData("Internal error, please try again in 5 s", 5d)]
    public void Error_that_is_no_limit_names_a_wait_only_with_the_words_for_another_try(string sentence, double? seconds)
    {
        var wait = Durations.InSentence(sentence, isLimit: false)?.TotalSeconds;
        wait.Should().Be(seconds);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var headers = Fixture.HeadersOf([("retry-after", "Thu, 01 Jan 2026 00:00:30 GMT"), ("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "6m0s")]);
        _ = RateLimitHeaders.Read(headers, WireDialect.Unknown, Fixture.Now);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            _ = RateLimitHeaders.Read(headers, WireDialect.Unknown, Fixture.Now);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Fact]
    public void A_declared_dialect_reads_its_own_family_and_an_unknown_one_whichever_is_there()
    {
        (string, string)[] both =
        [
            ("x-ratelimit-remaining-requests", "1"), ("x-ratelimit-remaining-tokens", "2"),
            ("anthropic-ratelimit-requests-remaining", "3"), ("anthropic-ratelimit-tokens-remaining", "4"), ("anthropic-ratelimit-output-tokens-remaining", "5"),
        ];
        (long?, long?, long?) Left(WireDialect dialect, params (string, string)[] headers)
        {
            var read = Read(dialect, headers);
            return (read.Requests.Remaining, read.Tokens.Remaining, read.OutputTokens.Remaining);
        }

        Left(WireDialect.OpenAI, both).Should().Be((1, 2, null));
        Left(WireDialect.Anthropic, both).Should().Be((3, 4, 5));
        Left(WireDialect.Unknown, both).Should().Be((1, 2, null));
        Left(WireDialect.Unknown, both[1..]).Should().Be((null, 2, null), "tokens alone show the family");
        Left(WireDialect.Unknown, [both[0], .. both[2..]]).Should().Be((1, null, null), "so do requests alone");
        Left(WireDialect.Unknown, both[2..]).Should().Be((3, 4, 5));
        Left(WireDialect.OpenAI, both[2..]).Should().Be((null, null, null));
    }

    [Theory]
    [InlineData("anthropic-ratelimit-requests")]
    [InlineData("anthropic-ratelimit-tokens")]
    [InlineData("anthropic-ratelimit-input-tokens")]
    [InlineData("anthropic-ratelimit-output-tokens")]
    public void Each_dimension_that_is_used_up_is_waited_for_and_one_that_is_not_is_none(string dimension)
    {
        TimeSpan? Wait(string left, string reset) =>
            Read(WireDialect.Anthropic, ($"{dimension}-remaining", left), ($"{dimension}-reset", reset)).ResetOfExhausted;
        Wait("0", "2026-01-01T00:00:07Z").Should().Be(TimeSpan.FromSeconds(7));
        Wait("1", "2026-01-01T00:00:07Z").Should().BeNull();
        Wait("x", "2026-01-01T00:00:07Z").Should().BeNull();
    }

    [Fact]
    public void The_longest_of_two_waits_counts_in_either_order()
    {
        TimeSpan? Wait(int requests, int tokens) => Read(WireDialect.OpenAI,
            ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", $"{requests}s"),
            ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", $"{tokens}s")).ResetOfExhausted;
        Wait(3, 9).Should().Be(TimeSpan.FromSeconds(9));
        Wait(9, 3).Should().Be(TimeSpan.FromSeconds(9));
    }

    [Fact]
    public void Waits_shorter_than_a_tick_are_none_and_longer_than_a_year_are_a_year()
    {
        Seconds(("Retry-After", "0.00000001")).Should().BeNull();
        Seconds(("Retry-After", "31535999")).Should().Be(31535999);
        Seconds(("Retry-After", "31536000")).Should().Be(31536000);
        Seconds(("Retry-After", "31536001")).Should().Be(31536000);
    }

    [Theory]
    [InlineData("You will regain access on 2026-08-01 at 00:00 UTC", true)]
    [InlineData("regain access on 2026-08-01 at 00:00 UTC.", true)]
    [InlineData("You will regain access on 2026-08-01 at 00:00 UT", false)]
    [InlineData("You will regain access on 2026-13-01 at 00:00 UTC", false)]
    [InlineData("access on 2026-08-01 at 00:00 UTC", false)]
    [InlineData("", false)]
    public void The_day_of_regained_access_is_read(string sentence, bool isRead) =>
        Instants.RegainedAt(sentence).Should().Be(isRead ? new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero) : null);

    [Theory]
    [InlineData("Limit resets at: 2026-01-01 00:00:40 UTC", "2026-01-01T00:00:40Z")]
    [InlineData("try again at 2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z")]
    [InlineData("try again at 2026-01-01T02:00:00-02:30", "2026-01-01T04:30:00Z")]
    [InlineData("try again at 0001-01-01T00:00:00+05:00", null)]
    [InlineData("try again at 9999-12-31T23:59:59-05:00", null)]
    [InlineData("try again at 2026-01-01T00:00:00+14:00", null)]
    [InlineData("try again at 2026-01-01T00:00:00", null)]
    [InlineData("try again at", null)]
    public void An_instant_in_a_sentence_is_read_with_its_zone_and_never_throws(string sentence, string? instant) =>
        Instants.InSentence(sentence).Should().Be(instant is null ? null : DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData(0d, true)]
    [InlineData(253402300798d, true)]
    [InlineData(253402300799d, false)]
    [InlineData(-1d, false)]
    [InlineData(-1e300, false)]
    [InlineData(double.NaN, false)]
    [InlineData(double.PositiveInfinity, false)]
    public void A_Unix_time_is_between_1970_and_9999(double seconds, bool isRead) => Instants.OfUnix(seconds).HasValue.Should().Be(isRead);
}
