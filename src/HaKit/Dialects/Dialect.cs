namespace HaKit.Dialects;

/// <summary>
/// Everything that is particular to one provider's wire: the paths that create answers and what they must hold, error codes and words, where the
/// credential goes, the marks of a stream, usage, the model's place in the path, the cheapest probe. One class for each provider and one row in
/// <see cref="DialectTable"/>; everything else in the library asks. Stateless.
/// </summary>
internal abstract class Dialect
{
    /// <summary>The paths at which a POST creates an answer; those of the longest end first.</summary>
    public abstract IReadOnlyList<AnswerPath> Paths { get; }

    /// <summary>Where the credential goes. Default: <c>Authorization: Bearer</c>.</summary>
    public virtual CredentialPlace Credential => new("Authorization", "Bearer ");

    /// <summary>Where a path holds the model's name; null where only the body does.</summary>
    public virtual ModelPlace? ModelInPath => null;

    /// <summary>Where an answer reports its tokens.</summary>
    public abstract UsageNames Usage { get; }

    /// <summary>Do the account's limits count tokens of the prompt that came from the provider's cache? Default: they do.</summary>
    public virtual bool LimitsCountCachedTokens => true;

    /// <summary>The headers in which an answer tells the limits of the account.</summary>
    public abstract RateLimitNames RateLimits { get; }

    /// <summary>A header without which the provider answers nothing, and its value; null if there is none.</summary>
    public virtual (string Name, string Value)? RequiredHeader => null;

    /// <summary>The path, below an endpoint's address, that lists its models: the cheapest question that needs a key.</summary>
    /// <param name="folder">The path of the endpoint's address, without a slash at its end.</param>
    public virtual string ModelsPath(string folder) => "/models";

    /// <summary>The cheapest request that makes the endpoint generate.</summary>
    /// <param name="folder">The path of the endpoint's address, without a slash at its end.</param>
    /// <param name="model">The model to ask; null to name none.</param>
    /// <param name="maxTokens">The bound on the answer.</param>
    public abstract CompletionRequest Completion(string folder, string? model, int maxTokens);

    /// <summary>Does a request of the given server take the member <c>prompt_cache_key</c>? Servers that do not know it may refuse the request.</summary>
    /// <param name="path">The path of the endpoint's address and the request's behind it.</param>
    public virtual bool TakesPromptCacheKey(string path) => false;

    /// <summary>How every model of the provider goes on from the beginning of an answer. Default: it depends on the model.</summary>
    public virtual Continuation Continuation => Continuation.None;

    /// <summary>Does an answer that goes on from a beginning hold that beginning once more? Default false: it holds the rest alone.</summary>
    public virtual bool RepeatsBeginning => false;

    /// <summary>Does the body of an error show that it is of this dialect, whatever the endpoint declares?</summary>
    /// <param name="signs">What the body showed.</param>
    public virtual bool IsUnmistakable(in ErrorSigns signs) => false;

    /// <summary>Which endpoints share a throttle. Most providers limit an account's use of a model.</summary>
    protected virtual FaultReach ThrottleReach => FaultReach.RateLimit;

    /// <summary>What the error means. The status comes first: words refine only what the status allows.</summary>
    /// <param name="signs">What the body showed.</param>
    /// <param name="words">The message, without what it quotes.</param>
    /// <param name="status">The answer's status if it was a failure; of an error within a success, the one that the body gives; 0 for none.</param>
    public Verdict Classify(in ErrorSigns signs, ReadOnlySpan<char> words, int status)
    {
        Verdict? told = null;
        for (var rank = 0; rank < 5; rank++)
        {
            if (Meaning(signs.Ranked(rank)) is { } meaning)
            {
                if (meaning.Kind == FaultKind.QuotaExhausted)
                    return meaning;
                told ??= meaning;
            }
        }

        if (status is 400 or 402 or 403 or 429 && AnyWord(in signs, isQuota: true))
            return Verdict.Quota;
        if (status is 402 or 403 or 429 && QuotaInMessage(in signs, words) is { } quota)
            return quota;
        if (status == 400 && BeginsWithAny(words, ErrorPhrases.QuotaSentences))
            return Verdict.Quota;
        if (status is 413 or 429 && OversizedRequest.IsToldIn(words))
            return new Verdict(FaultKind.RequestTooLarge, ThrottleReach);
        if (told is { } verdict)
            return verdict.Kind == FaultKind.Throttled ? verdict with { Reach = ThrottleReach } : verdict;
        if (status is 400 or 403 or 422 or 451 && AnyWord(in signs, isQuota: false))
            return new Verdict(FaultKind.ContentFilter);
        return InMessage(words, status) ?? ByStatus(status);
    }

    /// <summary>The status that an error within a success stands for: one that the body gives, or the one that its words usually come with; 0 for none.</summary>
    /// <param name="signs">What the body showed.</param>
    public int ImpliedStatus(in ErrorSigns signs)
    {
        if (signs.BodyStatus > 0)
            return signs.BodyStatus;
        for (var rank = 0; rank < 5; rank++)
        {
            if (StatusOf(signs.Ranked(rank)) is > 0 and var status)
                return status;
        }

        return 0;
    }

    /// <summary>What a code, type or status word says beyond what the HTTP status says; <see langword="null"/> for general words.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    protected abstract Verdict? Meaning(ReadOnlySpan<char> word);

    /// <summary>The HTTP status that usually comes with a word, for errors that arrive within a success; 0 when none.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    protected abstract int StatusOf(ReadOnlySpan<char> word);

    /// <summary>Does the message of a 402, 403 or 429 tell of a quota used up?</summary>
    /// <param name="signs">What the body showed.</param>
    /// <param name="message">The message, without what it quotes.</param>
    protected virtual Verdict? QuotaInMessage(in ErrorSigns signs, ReadOnlySpan<char> message) =>
        ServerWords.Lead(message).ContainsAny(ErrorPhrases.Quota) ? Verdict.Quota : null;

    private static bool AnyWord(in ErrorSigns signs, bool isQuota)
    {
        for (var rank = 0; rank < 5; rank++)
        {
            if (signs.Ranked(rank) is var word && (isQuota ? ErrorWords.IsQuota(word) : ErrorWords.IsFilter(word)))
                return true;
        }

        return false;
    }

    private static bool BeginsWithAny(ReadOnlySpan<char> words, string[] sentences)
    {
        words = words.TrimStart();
        foreach (var sentence in sentences)
        {
            if (words.StartsWith(sentence, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static Verdict? InMessage(ReadOnlySpan<char> message, int status)
    {
        switch (status)
        {
            case 400 or 413 or 422:
                if (message.ContainsAny(ErrorPhrases.ContextLength))
                    return new Verdict(FaultKind.ContextLength);
                if (message.ContainsAny(ErrorPhrases.ContentFilter))
                    return new Verdict(FaultKind.ContentFilter);
                if (BeginsWithAny(message, ErrorPhrases.BadKeySentences))
                    return Verdict.BadKey;
                return message.ContainsAny(ErrorPhrases.BadModel) ? new Verdict(FaultKind.ModelNotFound) : null;
            case 451:
                return message.ContainsAny(ErrorPhrases.ContentFilter) ? new Verdict(FaultKind.ContentFilter) : null;
            case 403:
                if (message.ContainsAny(ErrorPhrases.ContentFilter))
                    return new Verdict(FaultKind.ContentFilter);
                return ServerWords.Lead(message).ContainsAny(ErrorPhrases.BadKey) ? Verdict.BadKey : null;
            case 404:
                return message.ContainsAny(ErrorPhrases.NoModel) ? new Verdict(FaultKind.ModelNotFound) : null;
            case 429 or >= 500:
                // Only in the words that the message begins with: a caller's text that follows must not decide about the siblings of the same model.
                var lead = ServerWords.Lead(message);
                if (lead.ContainsAny(ErrorPhrases.OverloadedModel))
                    return Verdict.ModelOverloaded;
                return lead.ContainsAny(ErrorPhrases.Overloaded) ? ByStatus529(status) : null;
            default:
                return null;
        }

        static Verdict ByStatus529(int status) => status == 529 ? Verdict.ModelOverloaded : new Verdict(FaultKind.Overloaded);
    }

    private Verdict ByStatus(int status) => status switch
    {
        // An error dressed as a success that says nothing more.
        0 => new Verdict(FaultKind.BrokenBody),
        401 => Verdict.BadKey,
        402 => Verdict.Quota,
        403 => new Verdict(FaultKind.Forbidden),
        408 or 424 => new Verdict(FaultKind.ServerError),
        410 => new Verdict(FaultKind.ModelNotFound),
        413 => new Verdict(FaultKind.RequestTooLarge),
        429 => new Verdict(FaultKind.Throttled, ThrottleReach),
        503 => new Verdict(FaultKind.Overloaded),
        529 => Verdict.ModelOverloaded,
        >= 500 => new Verdict(FaultKind.ServerError),
        400 or 422 => new Verdict(FaultKind.InvalidRequest),
        _ => new Verdict(FaultKind.NotServed),
    };
}
