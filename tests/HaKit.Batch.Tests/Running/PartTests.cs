using HaKit.AI;
using HaKit.Batch.Running;
using HaKit.Batch.Stores;
using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Tests.Running;

/// <summary>Tests the deciding parts of a run, one by one.</summary>
public sealed class PartTests
{
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(1);

    [Fact]
    public void The_window_doubles_until_answers_take_twice_as_long_and_then_grows_by_one()
    {
        var window = new BatchWindow(4, 1000);
        var limits = new List<int>();
        foreach (var took in (double[])[1, 1, 1.2, 2.5, 1, 1])
        {
            for (var i = window.Limit; i > 0; i--)
            {
                window.RecordFull();
                window.RecordServed(Usual * took);
            }
            limits.Add(window.Limit);
        }
        limits.Should().Equal(8, 16, 32, 32, 33, 34);
    }

    [Fact]
    public void The_window_grows_only_when_it_was_full()
    {
        var window = new BatchWindow(4, 1000);
        for (var i = 0; i < 100; i++)
            window.RecordServed(Usual);
        window.Limit.Should().Be(4);
    }

    [Fact]
    public void A_throttled_call_takes_30_percent_off_at_most_once_a_second()
    {
        var window = new BatchWindow(100, 1000);
        window.RecordThrottle(TimeSpan.FromSeconds(1));
        window.RecordThrottle(TimeSpan.FromSeconds(1.5));
        window.Limit.Should().Be(70);
        window.RecordThrottle(TimeSpan.FromSeconds(2));
        window.Limit.Should().Be(49);
        window.RecordPoolFull(10);
        window.Limit.Should().Be(10);
        window.RecordPoolFull(0);
        window.Limit.Should().Be(1);
    }

    public static TheoryData<Exception, bool, int, string> Verdicts => new()
    {
        { Error(FaultKind.InvalidRequest, 400), true, 0, "Fail" },
        { Error(FaultKind.ContentFilter, 400), true, 0, "Fail" },
        { Error(FaultKind.ContextLength, 400), false, 0, "Fail" },
        { new ArgumentException("bad"), true, 0, "Fail" },
        { Error(FaultKind.ServerError, 500), true, 0, "PutBack" },
        { Error(FaultKind.ServerError, 500), true, 2, "PutBack" },
        { Error(FaultKind.ServerError, 500), true, 3, "Fail" },
        { Error(FaultKind.ServerError, 500), false, 0, "Unknown" },
        { Error(FaultKind.Throttled, 429), false, 0, "PutBack" },
        { Error(FaultKind.ConnectFailed, 0), false, 0, "PutBack" },
        { new HttpRequestException("x", null, System.Net.HttpStatusCode.BadRequest), true, 0, "Fail" },
        { new HttpRequestException("x", null, System.Net.HttpStatusCode.ServiceUnavailable), true, 0, "PutBack" },
    };

    [Theory]
    [MemberData(nameof(Verdicts))]
    public void What_becomes_of_an_item_follows_from_its_failure(Exception exception, bool mayRepeat, int tries, string expected) =>
        ItemVerdicts.Decide(CallFailure.FromException(exception), mayRepeat, tries, maxTries: 3).ToString().Should().Be(expected);

    [Fact]
    public void A_reason_never_holds_what_an_exception_says() =>
        CallFailure.FromException(new InvalidOperationException("my secret prompt")).Reason.Should().NotContain("secret");

    [Fact]
    public void Progress_says_all_is_done_only_when_nothing_is_left()
    {
        var progress = new BatchProgress { Counts = new BatchCounts { Total = 100_000, Succeeded = 99_999 }, PerSecond = 38.4, Left = TimeSpan.FromMinutes(13.2) };
        progress.ToString().Should().Be("99.9 %, 38/s, 14 min left");
        (progress with { Counts = new BatchCounts { Total = 1000, Succeeded = 400, Failed = 12, Spent = 12.4 }, HasPrices = true, Currency = "$" }).ToString()
            .Should().Be("41.2 %, 38/s, 12 failed, 14 min left, 12.40 $");
        (progress with { Left = null }).ToString().Should().EndWith("time left unknown");
        new BatchProgress { Counts = new BatchCounts { Total = 3, Succeeded = 3 } }.ToString().Should().Be("100.0 %, 0/s");
    }

    [Fact]
    public void The_rate_is_that_of_the_last_half_minute_pauses_included()
    {
        var meter = new ProgressMeter("$", hasPrices: false);
        meter.Sample(TimeSpan.Zero, new BatchCounts { Total = 1000 });
        meter.Sample(TimeSpan.FromSeconds(10), new BatchCounts { Total = 1000, Succeeded = 100 });
        var running = meter.At(TimeSpan.FromSeconds(10), 3, null);
        running.Left.Should().Be(TimeSpan.FromSeconds(90));
        meter.Sample(TimeSpan.FromSeconds(25), new BatchCounts { Total = 1000, Succeeded = 100 });
        meter.At(TimeSpan.FromSeconds(25), 3, null).Left.Should().Be(TimeSpan.FromSeconds(225));
        meter.Sample(TimeSpan.FromSeconds(60), new BatchCounts { Total = 1000, Succeeded = 100 });
        meter.At(TimeSpan.FromSeconds(60), 3, null).Left.Should().BeNull("nothing was finished for half a minute");
    }

    [Fact]
    public void A_fingerprint_changes_with_whatever_is_sent_and_with_nothing_else()
    {
        ChatMessage[] messages = [new(ChatRole.System, "be brief"), new(ChatRole.User, [new TextContent("look"), new DataContent(new byte[] { 1, 2, 3 }, "image/png")])];
        ChatOptions Options() => new() { Temperature = 0.5f, MaxOutputTokens = 100, ResponseFormat = ChatResponseFormat.ForJsonSchema(System.Text.Json.JsonDocument.Parse("""{"type":"object"}""").RootElement) };
        var usual = ChatFingerprint.Compute(messages, Options());
        usual.Should().Be(ChatFingerprint.Compute([.. messages.Select(m => m.Clone())], Options()));
        usual.FirstDifference(ChatFingerprint.Compute([messages[0], new(ChatRole.User, "look")], Options())).Should().Be("the messages");
        usual.FirstDifference(ChatFingerprint.Compute([.. messages.Reverse()], Options())).Should().Be("the messages");
        var warmer = Options();
        warmer.Temperature = 0.6f;
        usual.FirstDifference(ChatFingerprint.Compute(messages, warmer)).Should().Be("the options");
        var other = Options();
        other.ResponseFormat = ChatResponseFormat.ForJsonSchema(System.Text.Json.JsonDocument.Parse("""{"type":"array"}""").RootElement);
        usual.FirstDifference(ChatFingerprint.Compute(messages, other)).Should().Be("the response schema");
        usual.FirstDifference(ChatFingerprint.Compute(messages, Options().UseHaProfile(new RequestProfile { Priority = 3 }))).Should().NotBe("the messages");
        RequestFingerprint.FromBytes(usual.ToArray()).Should().Be(usual);
        usual.FirstDifference(usual).Should().BeNull();
    }

    [Fact]
    public void A_fingerprint_is_the_same_with_every_version_of_the_libraries()
    {
        // Stored results contain this value for years. If it changes, every stored result looks as if its prompt had changed.
        ChatMessage[] messages = [new(ChatRole.User, "What is 2 + 2?")];
        Convert.ToHexStringLower(ChatFingerprint.Compute(messages, new ChatOptions { ModelId = "m", MaxOutputTokens = 5 }).ToArray()).Should().Be(KnownFingerprint);
    }

    private const string KnownFingerprint = "7b143d776df9660f8cb6ed28e90d4f89e2f45eb69deee94fcf463aa005a5ac587fcd0cf0bdee46541d8fc6ce";

    private static EndpointFaultException Error(FaultKind kind, int status) => new("main", new Fault(kind) { StatusCode = status });
}
