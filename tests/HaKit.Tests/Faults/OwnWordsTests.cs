using static HaKit.Tests.Http.WireSiblings;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests that a caller's text, which a server repeats without quotation marks, decides nothing about an account, a key or a model, and that the server's own
/// words of the same kind still do.
/// </summary>
public sealed class OwnWordsTests
{
    // Frames in which no colon and no dash stands before the caller's text.
    private static readonly Func<string, string>[] s_frames =
    [
        w => $"Blocked. request={w}", w => $"Forbidden by rule 942100, ARGS={w}", w => $"Slow down. Prompt was {w}", w => $"Your question {w} was not allowed", w => $"Request blocked ({w})", w => $"Request blocked ({w}) by rule (5)",
        w => $"Not allowed (see {w}", w => $"The query {w} was not allowed", w => $"Blocked. The user said {w}", w => $"You asked {w}, which is not allowed", w => $"Body {{content {w}}} is not allowed", w => $"Blocked since the client wrote {w}",
    ];

    private static readonly string[] s_sizes = ["Limit 30000, Requested 342389", "tokens limit: 5 > 4", "Requested 50 of limit 5", "request too large"];

    // The phrase of a content filter counts in the whole message at 403 (a provider's words may stand anywhere).
    private static IEnumerable<string> Told => Sentences.Where(s => s != "content management policy");

    [Fact]
    public void A_caller_s_text_without_marks_leaves_a_403_and_a_429_what_they_are()
    {
        foreach (var frame in s_frames.Concat(Echoes))
        {
            foreach (var sentence in Told)
            {
                foreach (var dialect in Enum.GetValues<WireDialect>())
                {
                    foreach (var body in Errors(frame(sentence), 403, "permission_error"))
                        Classified.Answer(403, body, dialect)!.Kind.Should().Be(FaultKind.Forbidden, "{0} {1}", dialect, body);
                    // Sizes also count in parentheses. The request is then too large, which takes no endpoint away.
                    foreach (var body in Errors(frame(sentence), 429, "rate_limit_error").Where(_ => !s_sizes.Contains(sentence)))
                        Classified.Answer(429, body, dialect)!.Kind.Should().Be(FaultKind.Throttled, "{0} {1}", dialect, body);
                }
            }
        }
    }

    [Fact]
    public void A_caller_s_text_about_sizes_makes_no_request_too_large()
    {
        foreach (var size in s_sizes)
        {
            foreach (var message in (string[])[$"Rate limit reached for m: my app says {size}", $"Rate limit reached. Prompt: {size}", $"Token limit hit, input={size}", $"Rate limit of your key - the caller: {size}"])
            {
                foreach (var body in Errors(message, 429, "rate_limit_error"))
                    Classified.Answer(429, body)!.Kind.Should().Be(FaultKind.Throttled, body);
            }
        }
    }

    [Theory]
    [InlineData("Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 342389.")]
    [InlineData("Request too large for model `m` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size and try again.")]
    [InlineData("Rate limit reached for m on tokens per min (TPM): Limit: 30000, Used 97, Requested: 342389.")]
    [InlineData("Prompt tokens limit exceeded: 230799 > 91442")]
    [InlineData("litellm.RateLimitError: OpenAIException - Rate limit reached for m on tokens per min (TPM): Limit 30000, Requested 342389.")]
    [InlineData("The input of 5000 tokens is over the limit of 3000 tokens")]
    [InlineData("Your prompt (5000 tokens) is over the limit: 3000")]
    public void A_server_s_own_words_about_sizes_still_make_a_request_too_large(string message)
    {
        foreach (var body in Errors(message, 429, "tokens"))
            Classified.Answer(429, body)!.Kind.Should().Be(FaultKind.RequestTooLarge, body);
    }

    [Theory]
    [InlineData("You exceeded your current quota, please check your plan and billing details.")]
    [InlineData("Your organization (org-1) has no credits")]
    [InlineData("Key limit exceeded (daily limit)")]
    [InlineData("Your prompt tokens exceed the monthly quota")]
    [InlineData("You've reached your usage limit (5 h), as told in your plan (pro)")]
    public void A_server_s_own_words_about_a_quota_still_are_one(string message)
    {
        foreach (var status in (int[])[403, 429])
        {
            foreach (var body in Errors(message, status, "requests"))
                Classified.Answer(status, body)!.Kind.Should().Be(FaultKind.QuotaExhausted, "{0} {1}", status, body);
        }
    }

    [Theory]
    [InlineData("The model is overloaded (try later)", FaultKind.Overloaded)]
    [InlineData("We are at capacity", FaultKind.Overloaded)]
    [InlineData("Busy (you said the model is overloaded)", FaultKind.Throttled)]
    [InlineData("Busy. prompt=the model is overloaded", FaultKind.Throttled)]
    public void Only_a_server_s_own_words_about_an_overload_count(string message, FaultKind kind)
    {
        foreach (var body in Errors(message, 429, "requests"))
            Classified.Answer(429, body)!.Kind.Should().Be(kind, body);
    }
}
