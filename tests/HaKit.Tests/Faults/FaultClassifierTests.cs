using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Tests the rules that hold for every dialect.</summary>
public sealed class FaultClassifierTests
{
    public static TheoryData<WireDialect> Dialects => [.. Enum.GetValues<WireDialect>()];

    private static Fault? Classify(int status, byte[] body, WireDialect dialect) =>
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = status, Body = body, Dialect = dialect, Now = Fixture.Now });

    private static Fault? Classify(int status, string body, WireDialect dialect) => Classify(status, Encoding.UTF8.GetBytes(body), dialect);

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Body_without_a_shape_falls_back_to_the_status(WireDialect dialect)
    {
        (int, FaultKind)[] expected =
        [
            (400, FaultKind.InvalidRequest), (401, FaultKind.Unauthorized), (402, FaultKind.QuotaExhausted), (403, FaultKind.Forbidden),
            (404, FaultKind.NotServed), (405, FaultKind.NotServed), (421, FaultKind.NotServed), (499, FaultKind.NotServed), (408, FaultKind.ServerError), (409, FaultKind.NotServed), (410, FaultKind.ModelNotFound),
            (413, FaultKind.RequestTooLarge), (422, FaultKind.InvalidRequest), (424, FaultKind.ServerError), (429, FaultKind.Throttled),
            (500, FaultKind.ServerError), (502, FaultKind.ServerError), (503, FaultKind.Overloaded), (504, FaultKind.ServerError), (529, FaultKind.Overloaded),
        ];
        foreach (var (status, kind) in expected)
        {
            foreach (var body in new[] { "", "  ", "<html><body>model overloaded, quota exceeded</body></html>", "upstream connect error", "{", "[", "{}", "[]", "[1]", "null", "\"error\"", "{\"error\":{}}", "{\"error\":null}", "{\"a\":" })
            {
                var fault = Classify(status, body, dialect)!;
                fault.Kind.Should().Be(kind, "{0} {1}", status, body);
                fault.StatusCode.Should().Be(status);
                fault.Code.Should().BeNull();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Success_is_no_fault(WireDialect dialect)
    {
        foreach (var status in new[] { 0, 200, 201, 204, 304 })
        {
            foreach (var body in new[] { "", "ok", "{}", "{\"error\":null}", "{\"error\":false}", "{\"error\":0}", "{\"error\":\"\"}", "{\"error\":{}}", "{\"error\":{\"rate\":0.1}}", "{\"message\":\"insufficient_quota\"}", "[{\"code\":429}]" })
                Classify(status, body, dialect).Should().BeNull("{0} {1}", status, body);
        }
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Error_of_another_dialect_than_the_declared_is_understood(WireDialect dialect)
    {
        foreach (var name in new[] { "gemini-quota-per-day", "gemini-bad-key", "bedrock-bad-credentials", "anthropic-overload", "anthropic-credit-balance", "openai-context-length" })
        {
            var fixture = Fixture.All.Single(f => f.Name == name);
            Fixture.Check(FaultClassifier.Default.Classify(fixture.Evidence(dialect)), fixture.Expect, $"{name} from an endpoint declared as {dialect}");
        }
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Status_in_an_error_within_a_success_counts(WireDialect dialect)
    {
        Classify(200, """{"error":{"code":429,"message":"slow"}}""", dialect)!.Kind.Should().Be(FaultKind.Throttled);
        Classify(200, """{"error":{"code":"503","message":"busy"}}""", dialect)!.Kind.Should().Be(FaultKind.Overloaded);
        Classify(200, """{"error":"it broke"}""", dialect)!.Kind.Should().Be(FaultKind.BrokenBody);
    }

    [Fact]
    public void Code_is_a_plain_token_or_nothing()
    {
        static string? Code(string value) => Classify(400, "{\"error\":{\"code\":" + value + ",\"message\":\"x\"}}", WireDialect.OpenAI)!.Code;
        Code("\"some_code-1.2\"").Should().Be("some_code-1.2");
        Code("\"" + new string('a', 64) + "\"").Should().Be(new string('a', 64));
        Code("\"" + new string('a', 65) + "\"").Should().BeNull();
        Code("\"Bearer sk-123\"").Should().BeNull();
        Code("\"a\\u0062c\"").Should().BeNull();
        Code("\"é\"").Should().BeNull();
        Code("\"400\"").Should().BeNull();
        Code("400").Should().BeNull();
        Code("null").Should().BeNull();
    }

    [Fact]
    public void Nothing_of_a_message_is_kept()
    {
        const string secret = "sk-live-1234567890";
        foreach (var fixture in Fixture.All)
        {
            var body = Encoding.UTF8.GetString(fixture.Body).Replace("\"message\":", $"\"message\": \"{secret}\", \"message\":", StringComparison.Ordinal)
                .Replace("Please", $"{secret} Please", StringComparison.Ordinal);
            var fault = FaultClassifier.Default.Classify(fixture.Evidence(fixture.Dialect) with { Body = Encoding.UTF8.GetBytes(body) });
            Fixture.Describe(fault).Should().NotContain(secret);
            fault?.ToString().Should().NotContain(secret);
        }
    }

    [Fact]
    public void No_more_than_64_KiB_of_a_body_are_read()
    {
        var pad = Encoding.UTF8.GetBytes("{\"pad\":\"" + new string('x', ErrorReader.MostBytes) + "\",");
        byte[] late = [.. pad, .. "\"error\":{\"code\":\"insufficient_quota\"}}"u8];
        Classify(429, late, WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.Throttled, "what says so lies behind the bound");
        byte[] early = [.. "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\""u8, .. new byte[20_000_000].Select(_ => (byte)'x'), .. "\"}}"u8];
        Classify(429, early, WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.QuotaExhausted);
    }

    [Fact]
    public void Byte_order_mark_and_deep_nesting_are_survived()
    {
        Classify(429, "\uFEFF{\"error\":{\"code\":\"insufficient_quota\"}}", WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.QuotaExhausted);
        Classify(429, new string('[', 60_000), WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.Throttled);
        Classify(429, "{\"error\":" + string.Concat(Enumerable.Repeat("{\"error\":", 5_000)), WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.Throttled);
    }

    [Theory]
    [InlineData("""{"error":{"message":"Slow down","retry_after":20}}""", 20d)]
    [InlineData("""{"error":{"message":"Slow down","retryAfter":"1.5"}}""", 1.5)]
    [InlineData("""{"error":{"message":"Slow down","retry_after_ms":2500}}""", 2.5)]
    [InlineData("""{"error":{"message":"Slow down","retry_after":"1m30s"}}""", 90d)]
    [InlineData("""{"detail":"Slow down","retry_after_seconds":7}""", 7d)]
    [InlineData("""{"message":"Slow down","retry_after":-1}""", null)]
    [InlineData("""{"message":"Slow down","retry_after":null}""", null)]
    [InlineData("""{"message":"Slow down","retry_after":{"seconds":3}}""", null)]
    [InlineData("""{"error":{"message":"Slow down","retry_after":12,"retryAfter":"soon"}}""", 12d)]
    public void Wait_in_a_member_of_the_body_is_read(string body, double? seconds)
    {
        var evidence = new FaultEvidence { Dialect = WireDialect.OpenAI, StatusCode = 429, Body = System.Text.Encoding.UTF8.GetBytes(body), Now = Fixture.Now };

        FaultClassifier.Default.Classify(in evidence)!.RetryAfter.Should().Be(seconds is { } told ? TimeSpan.FromSeconds(told) : null);
        SlowClassifier.Classify(in evidence)!.RetryAfter.Should().Be(seconds is { } slowly ? TimeSpan.FromSeconds(slowly) : null);
    }

    [Fact]
    public void Last_of_two_equal_members_counts()
    {
        Classify(429, """{"error":{"code":"insufficient_quota","code":"rate_limit_exceeded"}}""", WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.Throttled);
        Classify(429, """{"code":"insufficient_quota","error":{"code":"rate_limit_exceeded"}}""", WireDialect.OpenAI)!
            .Kind.Should().Be(FaultKind.Throttled, "what lies beside an error object is not about the error");
    }

    [Fact]
    public void Answer_with_one_choice_that_was_not_filtered_is_an_answer()
    {
        Classify(200, """{"choices":[{"finish_reason":"content_filter"},{"finish_reason":"stop"}]}""", WireDialect.OpenAI).Should().BeNull();
        Classify(200, """{"choices":[{"finish_reason":"content_filter"},{"finish_reason":null}]}""", WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.ContentFilter);
        Classify(200, """{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}""", WireDialect.OpenAI)!.Kind.Should().Be(FaultKind.ContentFilter);
        Classify(200, """{"incomplete_details":{"reason":"max_output_tokens"}}""", WireDialect.OpenAI).Should().BeNull();
    }

    [Fact]
    public void User_s_classifier_is_asked_first_and_one_that_throws_is_passed_over()
    {
        var chain = new ChainedClassifier([new Throwing(), new Own()]);
        var mine = new FaultEvidence { StatusCode = 418, Now = Fixture.Now };
        chain.Classify(in mine)!.Kind.Should().Be(FaultKind.Overloaded);
        var other = new FaultEvidence { StatusCode = 429, Now = Fixture.Now };
        chain.Classify(in other)!.Kind.Should().Be(FaultKind.Throttled);
    }

    [Fact]
    public void Nothing_but_the_fault_and_its_code_is_allocated()
    {
        var evidence = Fixture.All.Single(f => f.Name == "openai-context-length").Evidence(WireDialect.OpenAI);
        _ = FaultClassifier.Default.Classify(in evidence);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var fault = FaultClassifier.Default.Classify(in evidence)!;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        var same = new Fault(fault.Kind) { Code = new string('x', fault.Code!.Length) };
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(allocated);
        GC.KeepAlive(same);
    }

    private sealed class Own : IFaultClassifier
    {
        public Fault? Classify(in FaultEvidence evidence) => evidence.StatusCode == 418 ? new Fault(FaultKind.Overloaded) : null;
    }

    private sealed class Throwing : IFaultClassifier
    {
        public Fault? Classify(in FaultEvidence evidence) => throw new InvalidOperationException("a bug of the user's");
    }
}
