using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Tests refusals with generated variants of real answers: the status decides, for every text that a message quotes and for every body.</summary>
public sealed class RefusalPropertyTests
{
    private static readonly string[] s_dangerous =
    [
        "You exceeded your current quota", "insufficient_quota", "Incorrect API key provided", "API key not valid", "Your credit balance is too low", "limit: 0", "The model is overloaded",
        "rate limit, try again in 3600s", "billing hard limit has been reached", "Content violates usage guidelines", "maximum context length", "per day", "Request too large",
        "You have reached your weekly usage limit", "Your team doesn't have any credits", "Budget has been exceeded", "daily free allocation", "content safety", "5 > 4 tokens",
        "Your account is in arrears", "Access denied, please make sure your account is in good standing",
    ];

    private static readonly (string Open, string Close)[] s_marks = [("'", "'"), ("\"", "\""), ("\u201C", "\u201D"), ("`", "`"), ("\u2018", "\u2019"), ("b'", "'"), ("\u00AB", "\u00BB")];

    private static readonly string[] s_before = ["1 validation error: ", "Input should be a valid list, got ", "Unexpected token in ", "body.messages -> ", "(", "invalid value=", "error for x: ", ""];

    private static readonly int[] s_statuses = [400, 404, 422, 500];

    private static readonly WireDialect[] s_dialects = Enum.GetValues<WireDialect>();

    [Fact(Timeout = 60_000)]
    public void What_a_message_quotes_changes_nothing_at_any_status_in_any_dialect()
    {
        var inner = Gen.Elements("", "why: ", "it's ", "he said, ", "x.y ", "a (b) ").SelectMany(_ => Gen.Elements(s_dangerous), (before, words) => before + words);
        var cases = from mark in Gen.Elements(s_marks)
                    from before in Gen.Elements(s_before)
                    from prompt in inner
                    from after in Gen.Elements("", ".", " is not allowed", ") at position 3")
                    from status in Gen.Elements(s_statuses)
                    from dialect in Gen.Elements(s_dialects)
                    from shape in Gen.Choose(0, 4)
                    from kind in Gen.Elements(Enum.GetValues<RequestKind>())
                    select (Quoted: before + mark.Open + prompt + mark.Close + after, Blank: before + mark.Open + "hello" + mark.Close + after, status, dialect, shape, kind);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var fault = Classify(c.status, Body(c.shape, c.Quoted, c.status), c.dialect, c.kind);
            var plain = Classify(c.status, Body(c.shape, c.Blank, c.status), c.dialect, c.kind);
            return fault == plain && fault is { RetryAfter: null, UntilCleared: false };
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort()));
    }

    [Fact(Timeout = 60_000)]
    public void A_foreign_4xx_asks_each_other_endpoint_and_counts_for_nothing_by_itself()
    {
        var bodies = Gen.Elements("", "<html>nginx</html>", "not here", "{}", """{"message":"no"}""", """{"error":"gone"}""", """{"detail":"Not Found"}""", """{"status":"error"}""", "[]", "\0\0");
        var cases = from status in Gen.Choose(400, 499).Where(s => s is not (400 or 401 or 402 or 403 or 408 or 413 or 422 or 424 or 429))
                    from body in bodies
                    from dialect in Gen.Elements(s_dialects)
                    select (status, body, dialect);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var fault = Classify(c.status, c.body, c.dialect, RequestKind.CreatesAnswer);
            var other = Classify(c.status, c.body, c.dialect, RequestKind.Other);
            return fault is { SecondOpinion: SecondOpinion.Each, IsProvisional: true, IsNeutral: true, Reach: FaultReach.Endpoint }
                && other is { SecondOpinion: SecondOpinion.None, IsNeutral: true };
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort()));
    }

    [Fact(Timeout = 60_000)]
    public void A_400_or_422_is_the_requests_own_fault_only_if_it_says_so()
    {
        var silent = Gen.Elements("User location is not supported for the API use.", "This organization has been disabled.", "Bad request", "upstream said no", "Error: x", "The server had an error",
            "google.api_core.exceptions.FailedPrecondition: 400 User location is not supported for the API use.", "grpc.StatusCode.UNAVAILABLE: no backend", "litellm.Timeout: no answer", "upstream.example.com: host not found", "node-3.pool[2].gpu: lost",
            "body.region: unknown", "request.model_name: x", "Request.: x", "messages.: x");
        var telling = Gen.Elements("messages.0.content: Field required", "tools[1].function: invalid", "max_tokens: 5000 > 4096", "* GenerateContentRequest.contents: contents is not specified", "body.messages.0.content: invalid", "request.temperature: too high", "safety_settings[0].category: unknown", "generation_config.response_schema: x", "input: too long a list");
        var cases = from says in Gen.Elements(true, false)
                    from message in says ? telling : silent
                    from status in Gen.Elements(400, 422)
                    from dialect in Gen.Elements(s_dialects)
                    select (says, message, status, dialect);
        Prop.ForAll(cases.ToArbitrary(), c =>
            Classify(c.status, Body(0, c.message, c.status), c.dialect, RequestKind.CreatesAnswer) is { } fault && fault.Blame == FaultBlame.Request
            && fault.SecondOpinion == (c.says ? SecondOpinion.None : SecondOpinion.One)).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort()));
    }

    [Fact(Timeout = 60_000)]
    public void A_request_larger_than_its_limit_is_too_large_and_a_smaller_one_is_throttled()
    {
        var cases = from limit in Gen.Choose(1, 1_000_000)
                    from requested in Gen.Choose(1, 1_000_000)
                    from form in Gen.Elements("Rate limit reached for x on tokens per min (TPM): Limit {0}, Used 97, Requested {1}.", "TPM Limit: {0:N0}, Requested: {1:N0}", "limit {0} / min, requested {1} tokens")
                    from status in Gen.Elements(429, 429, 413)
                    select (limit, requested, status, Message: string.Format(System.Globalization.CultureInfo.InvariantCulture, form, limit, requested));
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var fault = Classify(c.status, Body(0, c.Message, c.status), WireDialect.OpenAI, RequestKind.CreatesAnswer);
            return c.requested > c.limit ? fault is { Kind: FaultKind.RequestTooLarge, SecondOpinion: SecondOpinion.Each, IsProvisional: false, RetryAfter: null }
                : c.status == 429 ? fault.Kind == FaultKind.Throttled : fault.Kind == FaultKind.RequestTooLarge;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort()));
    }

    [Theory]
    [InlineData("invalid_request", false)]
    [InlineData("InvalidRequest", false)]
    [InlineData("INVALID_REQUEST", false)]
    [InlineData("invalid-argument", false)]
    [InlineData("invalid_argument", false)]
    [InlineData("InvalidParameter", false)]
    [InlineData("invalid_token", false)]
    [InlineData("invalid_client", false)]
    [InlineData("invalid_grant", false)]
    [InlineData("missing_token", false)]
    [InlineData("verification_required", false)]
    [InlineData("permission_required", false)]
    [InlineData("license_required", false)]
    [InlineData("invalid_permission", false)]
    [InlineData("invalid_workspace", false)]
    [InlineData("ip_not_supported", false)]
    [InlineData("client_ip_not_supported", false)]
    [InlineData("invalid_value", true)]
    [InlineData("invalid_type", true)]
    [InlineData("max_tokens_out_of_range", true)]
    [InlineData("too_many_tokens", true)]
    [InlineData("invalid_max_token", true)]
    [InlineData("clip_not_supported", true)]
    [InlineData("invalid_request_body", true)]
    [InlineData("missing_required_parameter", true)]
    public void A_code_about_the_account_or_about_no_cause_is_no_evidence_against_the_request(string code, bool isEvidence)
    {
        foreach (var dialect in s_dialects)
        {
            var body = JsonSerializer.Serialize(new { error = new { code, message = "User location is not supported" } });
            Classify(400, body, dialect, RequestKind.CreatesAnswer).SecondOpinion.Should().Be(isEvidence ? SecondOpinion.None : SecondOpinion.One, "{0} {1}", code, dialect);
        }
    }

    [Theory]
    [InlineData(typeof(MissingMethodException))]
    [InlineData(typeof(TypeLoadException))]
    [InlineData(typeof(FileLoadException))]
    [InlineData(typeof(NotSupportedException))]
    [InlineData(typeof(PlatformNotSupportedException))]
    [InlineData(typeof(EntryPointNotFoundException))]
    [InlineData(typeof(BadImageFormatException))]
    [InlineData(typeof(NotImplementedException))]
    public void A_fault_of_our_own_build_is_asked_of_one_other_endpoint_at_most(Type type)
    {
        var exception = (Exception)Activator.CreateInstance(type)!;
        foreach (var thrown in new[] { exception, new InvalidOperationException("in an SDK", exception), new AggregateException(exception) })
            FaultClassifier.Default.Classify(new FaultEvidence { Exception = thrown }).Should().Match<Fault>(f => f.SecondOpinion == SecondOpinion.One && f.IsProvisional);
    }

    private static Fault Classify(int status, string body, WireDialect dialect, RequestKind request) =>
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = status, Body = Encoding.UTF8.GetBytes(body), Dialect = dialect, Request = request, Now = Fixture.Now })!;

    private static string Body(int shape, string message, int status)
    {
        var text = JsonSerializer.Serialize(message);
        return shape switch
        {
            0 => $$$"""{"error":{"message":{{{text}}},"type":"invalid_request_error","param":null,"code":null}}""",
            1 => $$$"""{"error":{"message":{{{text}}},"type":"Bad Request","code":{{{status}}}}}""",
            2 => $$$"""{"object":"error","message":{{{text}}},"type":"BadRequestError","param":null,"code":{{{status}}}}""",
            3 => $$$"""{"detail":{{{text}}}}""",
            _ => $$$"""{"message":{{{text}}}}""",
        };
    }

    private static int Effort() => 2_000;
}
