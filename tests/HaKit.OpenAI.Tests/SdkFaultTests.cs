using System.ClientModel;
using System.Reflection;
using Anthropic.Exceptions;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>
/// Tests every fault of the fake server through both SDKs, streamed and not. While another server is healthy, the answer is whole. There are two exceptions: if
/// content was delivered before, the caller gets an exception about the cut; if the request itself was refused, the SDK throws its own exception. When all
/// servers fail, the pool's exception gives the reason.
/// </summary>
public sealed class SdkFaultTests(TwoServers world) : IClassFixture<TwoServers>
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly Func<SdkWorld, bool> s_never = static _ => false, s_always = static _ => true, s_untilTheOtherAnswers = static w => w.IsStandbyIdle;

    // The caller gets the answer of the healthy server.
    private static readonly Dictionary<string, FakeFault> Unseen = new()
    {
        ["Hang"] = FakeFault.Hang,
        ["Reset"] = FakeFault.Reset,
        ["Refused"] = FakeFault.Refused,
        ["NameNotResolved"] = FakeFault.NameNotResolved,
        ["TlsFailed"] = FakeFault.TlsFailed,
        ["Throw"] = FakeFault.Throw(() => new InvalidOperationException("any")),
        ["EmptyBody"] = FakeFault.EmptyBody,
        ["ErrorIn200"] = FakeFault.ErrorIn200(),
        ["CutAfter 0"] = FakeFault.CutAfter(0),
        ["EndAfter 0"] = FakeFault.EndAfter(0),
        ["SilentAfter 0"] = FakeFault.SilentAfter(0),
        ["ErrorEventAfter 0"] = FakeFault.ErrorEventAfter(0),
        ["KeepAlivesOnly"] = FakeFault.KeepAlivesOnly(TimeSpan.FromMilliseconds(20)),
        ["Status 307"] = FakeFault.Status(307, "").WithHeader("Location", "http://127.0.0.2:9/elsewhere"),
        ["Status 408"] = FakeFault.Status(408),
        ["Status 500"] = FakeFault.Status(500),
        ["Status 502 html"] = FakeFault.Status(502, "<html>bad gateway</html>", "text/html"),
        ["Status 503 empty"] = FakeFault.Status(503, ""),
        ["Status 504"] = FakeFault.Status(504),
        ["OpenAI.RateLimited"] = FakeFaults.OpenAI.RateLimited(),
        ["OpenAI.TokensExhausted"] = FakeFaults.OpenAI.TokensExhausted(Second),
        ["OpenAI.SlowDown"] = FakeFaults.OpenAI.SlowDown(),
        ["OpenAI.QuotaExhausted"] = FakeFaults.OpenAI.QuotaExhausted(),
        ["OpenAI.CreditExhausted"] = FakeFaults.OpenAI.CreditExhausted(),
        ["OpenAI.Overloaded"] = FakeFaults.OpenAI.Overloaded(),
        ["OpenAI.ServerError"] = FakeFaults.OpenAI.ServerError(),
        ["OpenAI.BadKey"] = FakeFaults.OpenAI.BadKey(),
        ["OpenAI.ErrorInStream"] = FakeFaults.OpenAI.ErrorInStream(),
        ["Azure.Throttled"] = FakeFaults.Azure.Throttled(Second),
        ["Azure.ThrottledByGateway"] = FakeFaults.Azure.ThrottledByGateway(Second),
        ["Azure.QuotaExhausted"] = FakeFaults.Azure.QuotaExhausted(),
        ["Azure.Overloaded"] = FakeFaults.Azure.Overloaded(),
        ["Azure.BadKey"] = FakeFaults.Azure.BadKey(),
        ["Vllm.Overloaded"] = FakeFaults.Vllm.Overloaded(),
        ["Groq.RateLimited"] = FakeFaults.Groq.RateLimited(),
        ["OpenRouter.RateLimited"] = FakeFaults.OpenRouter.RateLimited(),
        ["OpenRouter.CreditExhausted"] = FakeFaults.OpenRouter.CreditExhausted(),
        ["OpenRouter.ErrorInStream"] = FakeFaults.OpenRouter.ErrorInStream(),
        ["Anthropic.RateLimited"] = FakeFaults.Anthropic.RateLimited(),
        ["Anthropic.TokensExhausted"] = FakeFaults.Anthropic.TokensExhausted(DateTimeOffset.UtcNow.AddSeconds(5)),
        ["Anthropic.BillingError"] = FakeFaults.Anthropic.BillingError(),
        ["Anthropic.CreditExhausted"] = FakeFaults.Anthropic.CreditExhausted(),
        ["Anthropic.SpendLimitReached"] = FakeFaults.Anthropic.SpendLimitReached(),
        ["Anthropic.Overloaded"] = FakeFaults.Anthropic.Overloaded(),
        ["Anthropic.OverloadedInStream"] = FakeFaults.Anthropic.OverloadedInStream(),
        ["Anthropic.ServerError"] = FakeFaults.Anthropic.ServerError(),
        ["Anthropic.BadKey"] = FakeFaults.Anthropic.BadKey(),
        ["Gemini.RateLimited"] = FakeFaults.Gemini.RateLimited(),
        ["Gemini.RateLimitedInText"] = FakeFaults.Gemini.RateLimitedInText(Second),
        ["Gemini.QuotaExhausted"] = FakeFaults.Gemini.QuotaExhausted(),
        ["Gemini.NoQuota"] = FakeFaults.Gemini.NoQuota(),
        ["Gemini.PaymentRequired"] = FakeFaults.Gemini.PaymentRequired(),
        ["Gemini.Overloaded"] = FakeFaults.Gemini.Overloaded(),
        ["Gemini.BadKey"] = FakeFaults.Gemini.BadKey(),
        ["Mistral.RateLimited"] = FakeFaults.Mistral.RateLimited(),
        ["Mistral.RateLimitedBare"] = FakeFaults.Mistral.RateLimitedBare(),
        ["Mistral.QuotaExhausted"] = FakeFaults.Mistral.QuotaExhausted(),
        ["Mistral.Overloaded"] = FakeFaults.Mistral.Overloaded(),
        ["Bedrock.Throttled"] = FakeFaults.Bedrock.Throttled(),
        ["Bedrock.ModelNotReady"] = FakeFaults.Bedrock.ModelNotReady(),
        ["Bedrock.QuotaExhausted"] = FakeFaults.Bedrock.QuotaExhausted(),
        ["Bedrock.Overloaded"] = FakeFaults.Bedrock.Overloaded(),
        ["Bedrock.ModelStreamError"] = FakeFaults.Bedrock.ModelStreamError(),
        ["Bedrock.ModelTimeout"] = FakeFaults.Bedrock.ModelTimeout(),
        ["Bedrock.BadKey"] = FakeFaults.Bedrock.BadKey(),
        ["Bedrock.ExpiredToken"] = FakeFaults.Bedrock.ExpiredToken(),
    };

    // A stream has delivered content, so it is not replayed. For a plain answer, the caller does not notice the failure.
    private static readonly Dictionary<string, FakeFault> Cuts = new()
    {
        ["CutAfter"] = FakeFault.CutAfter(3),
        ["EndAfter"] = FakeFault.EndAfter(3),
        ["SilentAfter"] = FakeFault.SilentAfter(3),
        ["ErrorEventAfter"] = FakeFault.ErrorEventAfter(3),
        ["TruncatedBody"] = FakeFault.TruncatedBody,
        ["TornAfter"] = FakeFault.TornAfter(3),
    };

    // This is the fault of the request: every endpoint would refuse it.
    private static readonly Dictionary<string, FakeFault> Refusals = new()
    {
        ["OpenAI.ContentFiltered"] = FakeFaults.OpenAI.ContentFiltered(),
        ["Azure.ContentFiltered"] = FakeFaults.Azure.ContentFiltered(),
        ["Anthropic.RequestTooLarge"] = FakeFaults.Anthropic.RequestTooLarge(),
    };

    // The reason may be the endpoint and not the request. So another endpoint is asked once. If it refuses too, the first answer goes back.
    private static readonly Dictionary<string, FakeFault> Doubted = new()
    {
        ["Status"] = FakeFault.Status(400),
        ["Status 404"] = FakeFault.Status(404, "<html>nginx</html>", "text/html"),
        ["Status 405"] = FakeFault.Status(405, ""),
        ["Status 413"] = FakeFault.Status(413, "<html>nginx</html>", "text/html"),
        ["Status 422"] = FakeFault.Status(422),
        ["Vllm.BadRequest"] = FakeFaults.Vllm.BadRequest(),
        ["OpenAI.ModelNotFound"] = FakeFaults.OpenAI.ModelNotFound(),
        ["Azure.DeploymentNotFound"] = FakeFaults.Azure.DeploymentNotFound(),
        ["Azure.Retired"] = FakeFaults.Azure.Retired(),
        ["Anthropic.ModelNotFound"] = FakeFaults.Anthropic.ModelNotFound(),
    };

    // This is the fault of the request too. Another endpoint is asked only if it declares a larger window or another model, and these endpoints declare
    // neither.
    private static readonly Dictionary<string, FakeFault> TooLong = new()
    {
        ["OpenAI.ContextLengthExceeded"] = FakeFaults.OpenAI.ContextLengthExceeded(),
        ["Azure.ContextLengthExceeded"] = FakeFaults.Azure.ContextLengthExceeded(),
        ["Vllm.ContextLengthExceeded"] = FakeFaults.Vllm.ContextLengthExceeded(),
        ["Anthropic.ContextLengthExceeded"] = FakeFaults.Anthropic.ContextLengthExceeded(),
        ["Anthropic.ContextLimitExceeded"] = FakeFaults.Anthropic.ContextLimitExceeded(),
        ["Gemini.ContextLengthExceeded"] = FakeFaults.Gemini.ContextLengthExceeded(),
        ["Mistral.ContextLengthExceeded"] = FakeFaults.Mistral.ContextLengthExceeded(),
        ["Bedrock.ContextLengthExceeded"] = FakeFaults.Bedrock.ContextLengthExceeded(),
    };

    // These answers are valid.
    private static readonly Dictionary<string, FakeFault> Answers = new()
    {
        ["None"] = FakeFault.None,
        ["Latency"] = FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(20)),
        ["KeepAlives"] = FakeFault.KeepAlives(TimeSpan.FromMilliseconds(5)).And(FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(20))),
        ["OpenRouter.Processing"] = FakeFaults.OpenRouter.Processing(TimeSpan.FromMilliseconds(5)).And(FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(20))),
        ["FinishReason"] = FakeFault.FinishReason("length"),
    };

    public static TheoryData<string> UnseenNames() => [.. Unseen.Keys];

    public static TheoryData<string> UnseenAndDoubtedNames() => [.. Unseen.Keys, .. Doubted.Keys];

    public static TheoryData<string> CutNames() => [.. Cuts.Keys];

    public static TheoryData<string, int> RefusalNames()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in Refusals.Keys.Concat(TooLong.Keys))
            data.Add(name, 1);
        foreach (var name in Doubted.Keys)
            data.Add(name, 2);
        return data;
    }

    public static TheoryData<string> AnswerNames() => [.. Answers.Keys];

    [Theory]
    [MemberData(nameof(UnseenAndDoubtedNames))]
    public async Task A_fault_of_one_endpoint_is_unseen(string fault) => await EachAsync(world, Unseen.GetValueOrDefault(fault) ?? Doubted[fault], FakeFault.None, s_untilTheOtherAnswers, async (call, _) =>
        (await call).Should().Be(SdkWorld.Answer));

    [Theory]
    [MemberData(nameof(AnswerNames))]
    public async Task An_answer_that_is_well_in_its_own_way_is_not_meddled_with(string fault) => await EachAsync(world, Answers[fault], FakeFault.Reset, s_never, async (call, _) =>
        (await call).Should().Be(SdkWorld.Answer));

    [Theory]
    [MemberData(nameof(CutNames))]
    public async Task Failure_13_a_cut_is_heard_of_and_never_replayed_and_without_a_stream_unseen(string fault) => await EachAsync(world, Cuts[fault], FakeFault.None, s_untilTheOtherAnswers, async (call, streamed) =>
    {
        if (streamed)
            (await call.Awaiting(c => c).Should().ThrowAsync<PartialResponseException>()).Which.DeliveredItems.Should().BePositive();
        else
            (await call).Should().Be(SdkWorld.Answer);
    });

    [Theory]
    [MemberData(nameof(RefusalNames))]
    public async Task Failure_39_a_refusal_of_the_request_is_the_SDKs_own_exception_and_nobody_is_asked_twice(string name, int asked)
    {
        var servers = new TwoServers(); // a new pair of servers, because requests of another test may still be on their way to the shared servers
        await servers.InitializeAsync();
        await using var _ = servers;
        var fault = Refusals.GetValueOrDefault(name) ?? Doubted.GetValueOrDefault(name) ?? TooLong[name];
        await EachAsync(servers, fault, fault, s_never, async (call, _) =>
        {
            var exception = (await call.Awaiting(c => c).Should().ThrowAsync<Exception>()).Which;
            exception.Should().Match(e => e is ClientResultException || e is AnthropicApiException);
        });
        servers.Servers.Sum(s => s.Counts.Received).Should().Be(4 * asked, "both SDKs asked, streamed and not");
    }

    [Theory]
    [MemberData(nameof(UnseenNames))]
    public async Task A_fault_of_all_endpoints_is_an_exception_that_says_what_was_tried(string fault) => await EachAsync(world, Unseen[fault], Unseen[fault], s_always, async (call, _) =>
    {
        var exception = (await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>()).Which;
        exception.Should().Match(e => e is NoEndpointAvailableException || e is DeadlineExceededException);
        exception.Attempts.Should().Contain(a => a.Endpoint == "s0" && a.Fault != null);
    });

    [Fact]
    public void Every_fault_of_the_fake_server_is_in_one_of_the_lists()
    {
        var all = typeof(FakeFaults).GetNestedTypes().SelectMany(t => Makers(t).Select(m => $"{t.Name}.{m}")).Concat(Makers(typeof(FakeFault)));
        // An answer that a filter ended shows this itself. The tests of HaKit.AI cover such answers.
        string[] elsewhere = ["OpenAI.ContentFilteredAnswer", "Azure.ContentFilteredAnswer", "Gemini.ContentFilteredAnswer", "Gemini.PromptBlocked", "Bedrock.GuardrailIntervened", "Anthropic.Refusal"];
        all.Except([.. Unseen.Keys, .. Cuts.Keys, .. Refusals.Keys, .. Doubted.Keys, .. TooLong.Keys, .. Answers.Keys, .. elsewhere]).Should().BeEmpty();

        static IEnumerable<string> Makers(Type type) => type.GetMembers(BindingFlags.Public | BindingFlags.Static)
            .Where(m => m is PropertyInfo { PropertyType: var p } && p == typeof(FakeFault) || m is MethodInfo { IsSpecialName: false, ReturnType: var r } && r == typeof(FakeFault))
            .Select(m => m.Name).Distinct();
    }

    // Runs both SDKs, streamed and not, each over its own pool, in which the first server is preferred.
    private static async Task EachAsync(TwoServers world, FakeFault first, FakeFault second, Func<SdkWorld, bool> mayTimePass, Func<Task<string>, bool, Task> assert)
    {
        world.Servers[0].Faults.Clear();
        world.Servers[1].Faults.Clear();
        world.Servers[0].Faults.Always(first);
        world.Servers[1].Faults.Always(second);
        foreach (var sdk in (Sdk[])[Sdk.OpenAI, Sdk.Anthropic])
        {
            foreach (var streamed in (bool[])[false, true])
            {
                await using var asking = SdkWorld.Over(world.Servers, o =>
                {
                    o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20);
                    if (!streamed || !Cuts.ContainsValue(first))
                        return;
                    // The virtual time passes faster than a busy machine answers. Only a silence between contents may be too long.
                    o.TotalRequestTimeout.Timeout = TimeSpan.FromDays(1);
                    o.FirstContent.Timeout = TimeSpan.FromHours(1);
                });
                await assert(asking.PassTimeAsync(asking.AskAsync(sdk, streamed), () => mayTimePass(asking)), streamed);
            }
        }
    }
}
