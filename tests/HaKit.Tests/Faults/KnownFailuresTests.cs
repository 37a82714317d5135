using System.Net.Sockets;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Tests known mistakes of similar systems, as far as they are mistakes of classification.</summary>
public sealed class KnownFailuresTests
{
    private static readonly WireDialect[] s_dialects = Enum.GetValues<WireDialect>();

    private static Fault? Classify(int status, string body, WireDialect dialect = WireDialect.Unknown, params (string, string)[] headers) =>
        FaultClassifier.Default.Classify(new FaultEvidence
        {
            StatusCode = status,
            Body = Encoding.UTF8.GetBytes(body),
            Dialect = dialect,
            Headers = Fixture.HeadersOf(headers),
            Now = Fixture.Now,
        });

    [Fact]
    public void Exhausted_quota_is_not_treated_as_a_throttle()
    {
        // Status, status word and sentence are the same. Only the code, the type or the name of the quota distinguishes the faults.
        foreach (var dialect in s_dialects)
        {
            var quota = Classify(429, """{"error":{"message":"Too many requests","type":"requests","code":"insufficient_quota"}}""", dialect)!;
            quota.Kind.Should().Be(FaultKind.QuotaExhausted, "declared {0}", dialect);
        }

        var byType = Classify(429, """{"error":{"message":"Too many requests","type":"insufficient_quota","code":"rate_limit_exceeded"}}""", WireDialect.OpenAI)!;
        byType.Kind.Should().Be(FaultKind.QuotaExhausted, "a quota in the type goes before a throttle in the code");
        var byMessage = Classify(429, """{"type":"error","error":{"type":"rate_limit_error","message":"This would exceed your monthly spend limit"}}""")!;
        byMessage.Kind.Should().Be(FaultKind.QuotaExhausted);
        Classify(402, "<html>")!.Kind.Should().Be(FaultKind.QuotaExhausted, "at last the status tells");
        Classify(429, """{"error":{"message":"https://aka.ms/oai/quotaincrease","code":"429"}}""")!.Kind.Should().Be(FaultKind.Throttled, "a link about quota is none");
        foreach (var fault in new[] { byType, byMessage })
        {
            fault.Reach.Should().Be(FaultReach.Account);
            fault.UntilCleared.Should().BeTrue("waiting does not help, so nothing may cycle");
            fault.Blame.Should().Be(FaultBlame.Throttle);
        }
    }

    [Fact]
    public void Exhausted_quota_reaches_the_siblings_of_the_account_and_no_other()
    {
        var fault = Classify(429, """{"error":{"code":"insufficient_quota"}}""", WireDialect.OpenAI)!;
        var mine = new FailureDomains { Provider = "openai", Account = "a", KeyName = "1", Model = "m" };
        mine.Shares(mine with { KeyName = "2", Model = "n" }, fault.Reach).Should().BeTrue();
        mine.Shares(mine with { Account = "b" }, fault.Reach).Should().BeFalse();
    }

    [Fact]
    public void Throttle_reaches_the_siblings_that_share_the_limit_and_leaves_other_models_alone()
    {
        var fault = Classify(429, """{"error":{"code":"rate_limit_exceeded"}}""", WireDialect.OpenAI, ("Retry-After", "9"))!;
        fault.RetryAfter.Should().Be(TimeSpan.FromSeconds(9));
        var mine = new FailureDomains { Provider = "openai", Account = "a", KeyName = "1", Model = "m" };
        mine.Shares(mine with { KeyName = "2" }, fault.Reach).Should().BeTrue();
        mine.Shares(mine with { Model = "cheaper" }, fault.Reach).Should().BeFalse();
        mine.Shares(mine with { Region = "eu" }, fault.Reach).Should().BeFalse();
        mine.Shares(mine with { Account = "b" }, fault.Reach).Should().BeFalse();
        (mine with { Account = null }).Shares(mine with { Account = null }, fault.Reach).Should().BeFalse();
    }

    [Fact]
    public void A_probe_s_400_is_no_sign_of_health()
    {
        foreach (var dialect in s_dialects)
        {
            foreach (var body in new[] { "", "{}", """{"error":{"message":"max_tokens is too small","type":"invalid_request_error"}}""" })
            {
                var fault = Classify(400, body, dialect);
                fault.Should().NotBeNull();
                fault!.Kind.Should().Be(FaultKind.InvalidRequest);
                fault.IsNeutral.Should().BeTrue("it speaks neither for nor against the endpoint");
            }
        }
    }

    [Fact]
    public void Throttle_and_quota_are_decided_without_any_rate_limit_header()
    {
        foreach (var fixture in Fixture.All.Where(f => f.Status >= 400))
        {
            var bare = FaultClassifier.Default.Classify(fixture.Evidence(fixture.Dialect) with { Headers = null })!;
            var full = FaultClassifier.Default.Classify(fixture.Evidence(fixture.Dialect))!;
            if (!fixture.Name.StartsWith("bedrock-", StringComparison.Ordinal))
                (bare.Kind, bare.Blame, bare.Reach).Should().Be((full.Kind, full.Blame, full.Reach), fixture.Name);
        }
    }

    [Fact]
    public void Connection_refused_is_the_endpoint_s_fault_and_counts_as_connecting()
    {
        var fault = FaultClassifier.Default.Classify(new FaultEvidence
        {
            Exception = new HttpRequestException(HttpRequestError.ConnectionError, "x", new SocketException((int)SocketError.ConnectionRefused)),
        })!;
        fault.Blame.Should().Be(FaultBlame.Endpoint);
        fault.IsConnectClass.Should().BeTrue();
        fault.IsNeutral.Should().BeFalse();
        fault.Applied.Should().Be(FaultApplied.NotSent);
    }

    [Fact]
    public void Cancellation_without_the_caller_s_token_is_a_timeout_and_never_the_caller_s_doing()
    {
        // Before an exception is classified, the caller's token is checked. So a cancellation that is classified is a timeout, for every type of exception.
        using var source = new CancellationTokenSource();
        foreach (var exception in new Exception[] { new OperationCanceledException(), new TaskCanceledException(), new OperationCanceledException(source.Token) })
        {
            var fault = FaultClassifier.Default.Classify(new FaultEvidence { Exception = exception, Sent = true })!;
            fault.Blame.Should().Be(FaultBlame.Endpoint);
            fault.Kind.Should().Be(FaultKind.AttemptTimeout);
            fault.Applied.Should().Be(FaultApplied.Ambiguous);
        }

        new Fault(FaultKind.CallerCancelled).IsNeutral.Should().BeTrue();
        new Fault(FaultKind.DeadlineExceeded).IsNeutral.Should().BeTrue();
    }
}
