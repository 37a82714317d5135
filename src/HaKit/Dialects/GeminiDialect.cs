using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// <c>{"error":{"code","message","status","details":[]}}</c>. Gemini's "exceeded your current quota" is also the message of a limit per minute, so the name of the
/// violated quota decides.
/// </summary>
internal sealed class GeminiDialect : OpenAIDialect
{
    private static readonly SearchValues<string> s_quota = SearchValues.Create(["quota"], StringComparison.OrdinalIgnoreCase);

    private static readonly SearchValues<string> s_daily = SearchValues.Create(["per day", "daily quota"], StringComparison.OrdinalIgnoreCase);

    public static new GeminiDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new(":generateContent", AnswerShape.Candidates),
        new(":streamGenerateContent", AnswerShape.Candidates),
        new(":embedContent", AnswerShape.Embedding),
        new(":batchEmbedContents", AnswerShape.Embedding),
        new(":countTokens", AnswerShape.Count),
        new(":predict", AnswerShape.Embedding),
        .. OpenAIDialect.Instance.Paths,
    ];

    public override CredentialPlace Credential => new("x-goog-api-key");

    public override ModelPlace? ModelInPath { get; } = new("/models/", ':', NeedsMark: true);

    public override UsageNames Usage { get; } =
        new("usageMetadata", "promptTokenCount", "candidatesTokenCount") { Cached = "cachedContentTokenCount", InputBeside = "toolUsePromptTokenCount", OutputBeside = "thoughtsTokenCount" };

    protected override bool NamesCompletionTokens => false;

    // Gemini's interface for OpenAI clients is below /openai.
    public override CompletionRequest Completion(string folder, string? model, int maxTokens) => folder.EndsWith("/openai", StringComparison.Ordinal)
        ? base.Completion(folder, model, maxTokens)
        : new($"/models/{Uri.EscapeDataString(model ?? "")}:generateContent", CompletionRequest.Write(json =>
        {
            CompletionRequest.WriteParts(json, "contents", "parts", role: null);
            CompletionRequest.WriteLimit(json, "generationConfig", "maxOutputTokens", maxTokens);
        }));

    public override bool IsUnmistakable(in ErrorSigns signs) => !signs.Status.IsEmpty || signs.HasTypedDetails;

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "BILLING_DISABLED" => Verdict.Quota,
        // Gemini reports a bad key with a 400.
        "API_KEY_INVALID" or "ACCESS_TOKEN_EXPIRED" => Verdict.BadKey,
        "CONSUMER_SUSPENDED" => Verdict.BadKey with { Reach = FaultReach.Account },
        "MODEL_CAPACITY_EXHAUSTED" => Verdict.ModelOverloaded,
        _ => base.Meaning(word),
    };

    protected override int StatusOf(ReadOnlySpan<char> word) => word switch
    {
        "INVALID_ARGUMENT" or "FAILED_PRECONDITION" or "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "RESOURCE_EXHAUSTED" => 429,
        "INTERNAL" or "UNKNOWN" => 500,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => base.StatusOf(word),
    };

    protected override Verdict? QuotaInMessage(in ErrorSigns signs, ref ServerMessage message)
    {
        var isOfQuota = message.Text.ContainsAny(s_quota) && message.OwnLead.ContainsAny(s_quota);
        // A limit of 0 does not refill, even if the body contains a delay.
        if (isOfQuota && IsLimitZero(message.Own))
            return Verdict.Quota with { UntilCleared = true };
        if (SaysUsedUp(ref message, ErrorPhrases.Money))
            return Verdict.Quota;
        if (signs.QuotaPerDay)
            return Verdict.Quota;
        return isOfQuota && !signs.NamesQuota && message.Own.ContainsAny(s_daily) ? Verdict.Quota : null;
    }

    private static bool IsLimitZero(ReadOnlySpan<char> message)
    {
        const string words = "limit: 0";
        var at = message.IndexOf(words, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return false;
        var rest = message[(at + words.Length)..];
        return rest.IsEmpty || !(char.IsAsciiDigit(rest[0]) || (rest[0] == '.' && rest.Length > 1 && char.IsAsciiDigit(rest[1])));
    }
}
