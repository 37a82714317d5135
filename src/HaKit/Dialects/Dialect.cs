using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Contains everything that is particular to one provider's wire format: the paths that create answers and what an answer must contain, error codes and words,
/// the header of the credential, the marks of a stream, usage, the place of the model in the path, the cheapest probe. There is one class for each provider and
/// one row in <see cref="DialectTable"/>. All other code uses these classes and contains no knowledge of a provider. Stateless.
/// </summary>
internal abstract class Dialect
{
    /// <summary>Gets the paths at which a POST creates an answer. A path is recognised by its end; the longest ends come first.</summary>
    public abstract IReadOnlyList<AnswerPath> Paths { get; }

    /// <summary>Gets the header of the credential. Default <c>Authorization: Bearer</c>.</summary>
    public virtual CredentialPlace Credential => new("Authorization", "Bearer ");

    /// <summary>Gets where a path contains the model's name. Null if only the body contains it.</summary>
    public virtual ModelPlace? ModelInPath => null;

    /// <summary>Gets where an answer reports its tokens.</summary>
    public abstract UsageNames Usage { get; }

    /// <summary>Gets whether the account's limits count prompt tokens that came from the provider's cache. Default true.</summary>
    public virtual bool LimitsCountCachedTokens => true;

    /// <summary>Gets the headers in which an answer reports the limits of the account.</summary>
    public abstract RateLimitNames RateLimits { get; }

    /// <summary>Gets a header that the provider requires, with its value. Null if there is none.</summary>
    public virtual (string Name, string Value)? RequiredHeader => null;

    /// <summary>Gets the path, below an endpoint's address, that lists its models: the cheapest request that needs a key.</summary>
    /// <param name="folder">The path of the endpoint's address, without a slash at its end.</param>
    public virtual string ModelsPath(string folder) => "/models";

    /// <summary>Gets the cheapest request that makes the endpoint generate content.</summary>
    /// <param name="folder">The path of the endpoint's address, without a slash at its end.</param>
    /// <param name="model">The model of the request. Null: the request names no model.</param>
    /// <param name="maxTokens">The token limit of the answer.</param>
    public abstract CompletionRequest Completion(string folder, string? model, int maxTokens);

    /// <summary>
    /// Checks whether requests to the given path may have the member <c>prompt_cache_key</c>. Servers that do not support this member may refuse the request.
    /// </summary>
    /// <param name="path">The path of the endpoint's address, followed by the path of the request.</param>
    public virtual bool TakesPromptCacheKey(string path) => false;

    /// <summary>Gets how all models of the provider continue an answer. Default <see cref="Continuation.None"/>: only some models can, or none.</summary>
    public virtual Continuation Continuation => Continuation.None;

    /// <summary>Gets whether a continued answer contains its beginning again. Default false: it contains only the rest.</summary>
    public virtual bool RepeatsBeginning => false;

    /// <summary>Checks whether the body of an error belongs to this dialect beyond doubt, even if the endpoint declares another dialect.</summary>
    /// <param name="signs">The signs of an error that the body contained.</param>
    public virtual bool IsUnmistakable(in ErrorSigns signs) => false;

    /// <summary>
    /// Gets which endpoints share a throttle. Default <see cref="FaultReach.RateLimit"/> (the same account, provider, model and region), because most providers
    /// limit each account for each model.
    /// </summary>
    protected virtual FaultReach ThrottleReach => FaultReach.RateLimit;

    /// <summary>
    /// Gets the meaning of the error. The first of these signs that is present decides: a code of an exhausted quota, a message about an exhausted quota or about a
    /// request that is too large, any other code with an exact meaning, a sign of a content filter, any other message, the status. A message is used only at a
    /// status that allows this.
    /// </summary>
    /// <param name="signs">The signs of an error that the body contained.</param>
    /// <param name="message">The message.</param>
    /// <param name="status">The status of a failure. For an error inside a success: the status that the body gives. 0: none.</param>
    public Verdict Classify(in ErrorSigns signs, ref ServerMessage message, int status)
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

        if ((status is 400 or 401 || MayBeQuota(status)) && AnyWord(in signs, isQuota: true) && !IsOfShortWindow(message.Lead))
            return Verdict.Quota;
        if (MayBeQuota(status) && QuotaInMessage(in signs, ref message) is { } quota)
            return quota;
        if (status is 400 or 500 && BeginsOwn(ref message, ErrorPhrases.QuotaSentences))
            return Verdict.Quota;
        if (status is 402 or 413 or 429 && OversizedRequest.IsStatedIn(ref message))
            return new Verdict(FaultKind.RequestTooLarge, ThrottleReach);
        if (told is { } verdict)
            return verdict.Kind == FaultKind.Throttled ? verdict with { Reach = ThrottleReach } : verdict;
        if (status is 400 or 403 or 422 or 446 or 451 or 498 && AnyWord(in signs, isQuota: false))
            return new Verdict(FaultKind.ContentFilter);
        return InMessage(ref message, status) ?? ByStatus(status);
    }

    /// <summary>
    /// Gets the status that an error inside a success stands for: the status that the body gives, or the status that usually comes with its words. 0: none. A word
    /// of an earlier rank decides, because a server may write a general type (<c>server_error</c>) beside an exact code (<c>data_inspection_failed</c>).
    /// </summary>
    /// <param name="signs">The signs of an error that the body contained.</param>
    public int ImpliedStatus(in ErrorSigns signs)
    {
        if (signs.BodyStatus > 0)
            return signs.BodyStatus;
        for (var rank = 0; rank < 5; rank++)
        {
            var word = signs.Ranked(rank);
            if (StatusOf(word) is > 0 and var status)
                return status;
            if (ErrorWords.IsQuota(word))
                return 429;
            if (ErrorWords.IsFilter(word) || RequestSigns.IsGeneral(word) || rank == 0 && RequestSigns.IsCodeOfOwnMistake(word))
                return 400;
        }

        return signs.NamesField ? 400 : 0;
    }

    /// <summary>Gets the meaning of a code, type or status word, if it is more exact than the HTTP status. Null for general words.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    protected abstract Verdict? Meaning(ReadOnlySpan<char> word);

    /// <summary>Gets the HTTP status that usually comes with a word, for errors inside a success. 0: none.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    protected abstract int StatusOf(ReadOnlySpan<char> word);

    /// <summary>Gets the meaning of the message of a 402, 403, 412 or 429, if the message says that a quota is used up. Otherwise null.</summary>
    /// <param name="signs">The signs of an error that the body contained.</param>
    /// <param name="message">The message.</param>
    protected virtual Verdict? QuotaInMessage(in ErrorSigns signs, ref ServerMessage message) =>
        SaysUsedUp(ref message, ErrorPhrases.Quota) ? Verdict.Quota : null;

    /// <summary>
    /// Checks whether the message says that a quota or money is used up. False for a limit of a minute, which is a throttle, and for a sentence that only says
    /// that nothing was charged ("No credits were charged").
    /// </summary>
    /// <param name="message">The message. Only its own part is read, because the rest may be a caller's text.</param>
    /// <param name="phrases">The phrases of a quota or of money.</param>
    protected static bool SaysUsedUp(ref ServerMessage message, UsedUpPhrases phrases)
    {
        if (!phrases.AreIn(message.Text))
            return false;
        var own = message.OwnLead;
        var told = own.IndexOfAny(ErrorPhrases.Uncharged) is >= 0 and var at ? own[..at] : own;
        return phrases.AreIn(told, isExact: message.Text.ContainsAny(ErrorPhrases.OfServer)) && !IsOfShortWindow(message.Lead);
    }

    // Fireworks and Portkey answer 412 for an account without money.
    private static bool MayBeQuota(int status) => status is 402 or 403 or 412 or 429;

    /// <summary>Checks whether the message is about a limit of a minute or less, which is a throttle even if a code or the message calls it a quota.</summary>
    /// <param name="lead">The first clause of the message.</param>
    private static bool IsOfShortWindow(ReadOnlySpan<char> lead) => lead.ContainsAny(ErrorPhrases.ShortWindow);

    private static bool AnyWord(in ErrorSigns signs, bool isQuota)
    {
        for (var rank = 0; rank < 5; rank++)
        {
            if (signs.Ranked(rank) is var word && (isQuota ? ErrorWords.IsQuota(word) : ErrorWords.IsFilter(word)))
                return true;
        }

        return false;
    }

    // The part of the message in which no caller's text can stand.
    private static bool IsIn(ref ServerMessage message, SearchValues<string> phrases) => message.Text.ContainsAny(phrases) && message.OwnLead.ContainsAny(phrases);

    private static bool BeginsOwn(ref ServerMessage message, string[] sentences) => BeginsWithAny(message.Text, sentences) && BeginsWithAny(message.Own, sentences);

    private static bool BeginsWithAny(ReadOnlySpan<char> words, string[] sentences)
    {
        foreach (var sentence in sentences)
        {
            if (words.StartsWith(sentence, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    // Gets the meaning of an error inside a success from its message. No status supports these words. A message of a content filter becomes InvalidRequest: each
    // of the other endpoints is then asked once (Refusals.Refine).
    private static Verdict? WithoutStatus(ReadOnlySpan<char> own)
    {
        if (ErrorPhrases.IsContextLength(own))
            return new Verdict(FaultKind.ContextLength);
        return ErrorPhrases.IsContentFilter(own) ? new Verdict(FaultKind.InvalidRequest) : null;
    }

    // Only the part of a message that the server wrote itself is read. After it the server may repeat text of the caller's request, and this text may contain
    // such words. A verdict from this text would be wrong, and could affect other endpoints and other callers.
    private static Verdict? InMessage(ref ServerMessage message, int status)
    {
        if (status is 429 or >= 500)
            return OfOverload(ref message, status);
        if (status is not (0 or 400 or 403 or 404 or 413 or 422 or 424 or 446 or 451 or 498))
            return null;
        Span<char> buffer = stackalloc char[message.Text.Contains('(') ? message.Text.Length : 0];
        var own = OwnMessage.Read(message.Text, buffer);
        switch (status)
        {
            case 0:
                return WithoutStatus(own);
            case 400 or 413 or 422:
                return OfRequest(ref message, own);
            case 404:
                return IsIn(ref message, ErrorPhrases.NoModel) ? new Verdict(FaultKind.ModelNotFound) : null;
            default: // 446: a guardrail of Portkey; 498: an unsafe request (Cohere)
                if (ErrorPhrases.IsContentFilter(own) || status == 498 && own.StartsWith("blocked ", StringComparison.OrdinalIgnoreCase))
                    return new Verdict(FaultKind.ContentFilter);
                return status == 403 && IsIn(ref message, ErrorPhrases.BadKey) ? Verdict.BadKey : null;
        }
    }

    private static Verdict? OfRequest(ref ServerMessage message, scoped ReadOnlySpan<char> own)
    {
        if (ErrorPhrases.IsContextLength(own))
            return new Verdict(FaultKind.ContextLength);
        if (ErrorPhrases.IsContentFilter(own))
            return new Verdict(FaultKind.ContentFilter);
        if (BeginsOwn(ref message, ErrorPhrases.BadKeySentences))
            return Verdict.BadKey;
        return MissingModels.AreStatedIn(ref message) ? new Verdict(FaultKind.ModelNotFound) : null;
    }

    private static Verdict? OfOverload(ref ServerMessage message, int status)
    {
        if (status == 500 && BeginsWithAny(message.Text, ErrorPhrases.LengthSentences))
            return new Verdict(FaultKind.ContextLength);
        if (!message.Text.ContainsAny(ErrorPhrases.Overloaded) && !message.Text.ContainsAny(ErrorPhrases.OverloadedModel))
            return null;
        if (message.OwnLead.ContainsAny(ErrorPhrases.OverloadedModel))
            return Verdict.ModelOverloaded;
        if (!message.OwnLead.ContainsAny(ErrorPhrases.Overloaded))
            return null;
        return status == 529 ? Verdict.ModelOverloaded : new Verdict(FaultKind.Overloaded);
    }

    private Verdict ByStatus(int status) => status switch
    {
        // An error with the status of a success and without other information.
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
