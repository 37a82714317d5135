using System.Text.Json;
using HaKit.Faults;
using HaKit.Tests.Http;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests messages that name a content policy. A message that says that an account or a resource is out of use is about the endpoint, which must not attract
/// calls. A message about one prompt goes back to its caller at once.
/// </summary>
public sealed class AccountStateTests
{
    private const int Calls = 60;

    public static TheoryData<string> OfAccount =>
    [
        "Your resource has been temporarily blocked because we detected behavior that may violate our content policy.",
        "Your account has been suspended for violating our usage policies.", "This organization was disabled: violation of our acceptable use policy", "Your API access has been terminated because of our usage guidelines.",
        "We have suspended your account for violations of our usage policy", "Account suspended for violating the content policy", "Access denied: your subscription is disabled due to the acceptable use policy",
        "Your project has been banned. See our usage policies.", "The workspace is restricted under our safety guidelines",
        "Your Azure OpenAI resource was flagged and is now disabled: content policy", "Your key has been revoked. It violated the usage policy.", "Usage policies violated, your API access has been revoked.",
        "The organization org-12 has been disabled for content that our usage policy forbids", "Content policy violated. Your account is locked.",
    ];

    public static TheoryData<string> OfPrompt =>
    [
        "Content violates usage guidelines.", "Your request was rejected as a result of our safety system.", "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "Your prompt was flagged as potentially violating our usage policy.", "Your prompt was flagged as potentially violating our usage policy. Your account may be suspended if you continue.",
        "The prompt was blocked by your organization's content policy", "The request was blocked under the content policy of your project", "Your organization blocked this request: content policy",
        "Input violates the usage policies. Repeated violations may result in your account being suspended.", "Request blocked. It violates the acceptable use policy of your organization.",
        "The prompt violates our usage policy. Your account has been flagged.", "The content was removed by our content filter", "Content violates usage guidelines: why is my account suspended",
        "Your prompt, sent to this deployment, was blocked by the content filter", "The message of the user was blocked by our content filter", "Request blocked: user prompt violates our content policy",
        "Access denied: user input violates our content policy", "Output blocked by content filtering policy", "Your input contains sensitive content. Your account will be blocked if it is sent again.",
    ];

    [Theory]
    [MemberData(nameof(OfAccount))]
    public void A_message_about_an_account_is_no_content_filter(string message)
    {
        foreach (var (status, body, dialect) in Answers(message))
            Classified.Answer(status, body, dialect, RequestKind.CreatesAnswer).Should().Match<Fault>(f => f.Kind != FaultKind.ContentFilter && f.SecondOpinion != SecondOpinion.None && f.Reach == FaultReach.Endpoint, "{0} {1}", dialect, body);
    }

    [Theory]
    [MemberData(nameof(OfPrompt))]
    public void A_message_about_a_prompt_is_a_content_filter(string message)
    {
        foreach (var (status, body, dialect) in Answers(message))
            Classified.Answer(status, body, dialect, RequestKind.CreatesAnswer)!.Kind.Should().Be(FaultKind.ContentFilter, "{0} {1}", dialect, body);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(403)]
    [InlineData(400)]
    public async Task An_endpoint_whose_account_is_blocked_takes_no_calls_from_a_well_sibling(int status)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new { error = new { code = "Forbidden", message = "Your resource has been temporarily blocked because we detected behavior that may violate our content policy." } });
        var input = new WireInput("x", "/v1/chat/completions", IsStream: false, "", null, new Dictionary<string, string>(), 200, null, [], []);
        await using var pair = new WirePair(input, _ => new RawAnswer(status, "application/json", body));
        for (var i = 0; i < Calls; i++)
            (await pair.AskAsync()).Text.Should().Contain("served");
    }

    private static IEnumerable<(int Status, string Body, WireDialect Dialect)> Answers(string message) =>
        from status in (int[])[400, 403]
        from body in WireSiblings.Errors(message, status, "Forbidden")
        from dialect in Enum.GetValues<WireDialect>()
        select (status, body, dialect);
}
