using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>
/// Classifies by the same rules as the product, but is written to be easy to read, not to be fast: lists of words, regular expressions, and the last fact wins.
/// </summary>
internal static partial class SlowClassifier
{
    private static readonly string[] s_sizes = ["requested", "request", "prompt", "input"];

    private static readonly string[] s_wordsOfQuota =
    [
        "insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "billing_not_active", "billing_error",
        "organization_usage_limit_exceeded", "organization_spend_limit_exceeded", "project_spend_limit_exceeded", "CreditsError", "SetLimitExceeded",
    ];

    private static readonly Dictionary<string, (FaultKind Kind, FaultReach? Reach)> s_words = new()
    {
        ["rate_limit_exceeded"] = (FaultKind.Throttled, null),
        ["slow_down"] = (FaultKind.Throttled, null),
        ["server_is_overloaded"] = (FaultKind.Overloaded, null),
        ["engine_overloaded"] = (FaultKind.Overloaded, null),
        ["engine_overloaded_error"] = (FaultKind.Overloaded, null),
        ["ServerOverloaded"] = (FaultKind.Overloaded, null),
        ["capacity_exceeded"] = (FaultKind.Overloaded, null),
        ["overloaded_error"] = (FaultKind.Overloaded, FaultReach.Model),
        ["context_length_exceeded"] = (FaultKind.ContextLength, null),
        ["exceed_context_size_error"] = (FaultKind.ContextLength, null),
        ["content_policy_violation"] = (FaultKind.ContentFilter, null),
        ["content_filter"] = (FaultKind.ContentFilter, null),
        ["moderation_blocked"] = (FaultKind.ContentFilter, null),
        ["image_content_policy_violation"] = (FaultKind.ContentFilter, null),
        ["ResponsibleAIPolicyViolation"] = (FaultKind.ContentFilter, null),
        ["invalid_api_key"] = (FaultKind.Unauthorized, null),
        ["account_deactivated"] = (FaultKind.Unauthorized, FaultReach.Account),
        ["organization_restricted"] = (FaultKind.Unauthorized, FaultReach.Account),
        ["model_not_found"] = (FaultKind.ModelNotFound, null),
        ["model_decommissioned"] = (FaultKind.ModelNotFound, null),
    };

    private static readonly Dictionary<(string Dialect, string Word), (FaultKind Kind, FaultReach? Reach)> s_ownWords = new()
    {
        [("azure", "insufficient_quota")] = (FaultKind.QuotaExhausted, FaultReach.Region),
        [("azure", "InsufficientQuota")] = (FaultKind.QuotaExhausted, FaultReach.Region),
        [("azure", "QuotaExceeded")] = (FaultKind.QuotaExhausted, FaultReach.Region),
        [("azure", "NoCapacity")] = (FaultKind.Overloaded, FaultReach.Region),
        [("azure", "DeploymentNotFound")] = (FaultKind.ModelNotFound, null),
        [("azure", "ModelDeprecated")] = (FaultKind.ModelNotFound, null),
        [("anthropic", "enforced_spend_limit_reached")] = (FaultKind.QuotaExhausted, null),
        [("gemini", "BILLING_DISABLED")] = (FaultKind.QuotaExhausted, null),
        [("gemini", "API_KEY_INVALID")] = (FaultKind.Unauthorized, null),
        [("gemini", "ACCESS_TOKEN_EXPIRED")] = (FaultKind.Unauthorized, null),
        [("gemini", "CONSUMER_SUSPENDED")] = (FaultKind.Unauthorized, FaultReach.Account),
        [("gemini", "MODEL_CAPACITY_EXHAUSTED")] = (FaultKind.Overloaded, FaultReach.Model),
        [("mistral", "service_tier_capacity_exceeded")] = (FaultKind.Overloaded, FaultReach.Model),
        [("mistral", "3505")] = (FaultKind.Overloaded, FaultReach.Model),
        [("mistral", "invalid_model")] = (FaultKind.ModelNotFound, null),
        [("bedrock", "ServiceQuotaExceededException")] = (FaultKind.QuotaExhausted, null),
        [("bedrock", "UnrecognizedClientException")] = (FaultKind.Unauthorized, null),
        [("bedrock", "ExpiredTokenException")] = (FaultKind.Unauthorized, null),
        [("bedrock", "ExpiredToken")] = (FaultKind.Unauthorized, null),
        [("bedrock", "InvalidSignatureException")] = (FaultKind.Unauthorized, null),
        [("bedrock", "InvalidClientTokenId")] = (FaultKind.Unauthorized, null),
        [("bedrock", "IncompleteSignature")] = (FaultKind.Unauthorized, null),
        [("bedrock", "MissingAuthenticationToken")] = (FaultKind.Unauthorized, null),
        [("bedrock", "MissingAuthenticationTokenException")] = (FaultKind.Unauthorized, null),
        [("bedrock", "ThrottlingException")] = (FaultKind.Throttled, null),
        [("bedrock", "throttlingException")] = (FaultKind.Throttled, null),
        [("bedrock", "Throttling")] = (FaultKind.Throttled, null),
        [("bedrock", "ThrottledException")] = (FaultKind.Throttled, null),
        [("bedrock", "RequestThrottled")] = (FaultKind.Throttled, null),
        [("bedrock", "RequestThrottledException")] = (FaultKind.Throttled, null),
        [("bedrock", "TooManyRequestsException")] = (FaultKind.Throttled, null),
        [("bedrock", "RequestLimitExceeded")] = (FaultKind.Throttled, null),
        [("bedrock", "ModelNotReadyException")] = (FaultKind.Throttled, null),
        [("bedrock", "modelNotReadyException")] = (FaultKind.Throttled, null),
        [("bedrock", "ServiceUnavailableException")] = (FaultKind.Overloaded, null),
        [("bedrock", "serviceUnavailableException")] = (FaultKind.Overloaded, null),
        [("bedrock", "ServiceUnavailable")] = (FaultKind.Overloaded, null),
        [("bedrock", "InternalServerException")] = (FaultKind.ServerError, null),
        [("bedrock", "internalServerException")] = (FaultKind.ServerError, null),
        [("bedrock", "InternalFailure")] = (FaultKind.ServerError, null),
        [("bedrock", "ResourceNotFoundException")] = (FaultKind.ModelNotFound, null),
        [("bedrock", "ModelErrorException")] = (FaultKind.ServerError, null),
        [("bedrock", "ModelTimeoutException")] = (FaultKind.ServerError, null),
        [("bedrock", "ModelStreamErrorException")] = (FaultKind.ServerError, null),
        [("bedrock", "modelTimeoutException")] = (FaultKind.ServerError, null),
        [("bedrock", "modelStreamErrorException")] = (FaultKind.ServerError, null),
    };

    private static readonly (int Status, string Dialect, string Words)[] s_statusWords =
    [
        (400, "", "invalid_request_error BadRequestError validation template_error tool_error missing_template_variable invalid_prompt failed_to_download_image invalid_image_url empty_image_file image_file_not_found"), (401, "", "authentication_error AuthenticationError"),
        (403, "", "permission_error PermissionDeniedError"), (404, "", "not_found_error NotFoundError"), (413, "", "request_too_large"),
        (429, "", "rate_limit_error too_many_requests rate_limited RateLimitError"),
        (500, "", "server_error api_error internal_error internal_server_error InternalServerError"),
        (503, "", "service_unavailable_error overloaded"), (504, "", "timeout_error"),
        (400, "gemini", "INVALID_ARGUMENT FAILED_PRECONDITION OUT_OF_RANGE"), (401, "gemini", "UNAUTHENTICATED"), (403, "gemini", "PERMISSION_DENIED"),
        (404, "gemini", "NOT_FOUND"), (429, "gemini", "RESOURCE_EXHAUSTED"), (500, "gemini", "INTERNAL UNKNOWN"), (503, "gemini", "UNAVAILABLE"),
        (504, "gemini", "DEADLINE_EXCEEDED"),
        (400, "bedrock", "ValidationException validationException"), (403, "bedrock", "AccessDeniedException accessDeniedException"),
        (429, "bedrock", "ThrottlingException throttlingException ModelNotReadyException modelNotReadyException Throttling ThrottledException RequestThrottled RequestThrottledException TooManyRequestsException RequestLimitExceeded"),
        (500, "bedrock", "InternalServerException internalServerException"), (503, "bedrock", "ServiceUnavailableException serviceUnavailableException"),
    ];

    /// <summary>The words that were found, by rank, and all other inputs of the rules.</summary>
    private sealed record Facts(string[] Words, string PlainType, string Message, int BodyStatus, bool Azure, bool Google, bool Anthropic, bool Amazon, bool Mistral, bool Object,
        bool IsError, bool Field, bool IsJson, string Raw, bool PerDay, bool NamesQuota, TimeSpan? Delay, bool Filtered, bool Ended, bool Failed, bool NoRetry, int OriginalStatus);

    public static Fault? Classify(in FaultEvidence evidence)
    {
        var facts = Read(evidence);
        var failed = evidence.StatusCode >= 400;
        if (!failed && !facts.IsError)
        {
            return facts is { Failed: true, Ended: false, Filtered: false } ? new Fault(FaultKind.ServerError) { StatusCode = evidence.StatusCode }
                : facts is { Filtered: true, Ended: false }
                ? new Fault(FaultKind.ContentFilter) { Applied = FaultApplied.Ambiguous, StatusCode = evidence.StatusCode }
                : null;
        }

        var dialect = DialectOf(evidence.Dialect, facts);
        var status = failed ? evidence.StatusCode : Implied(dialect, facts) is > 0 and var implied ? implied : StatusAtStart(facts.Message);
        if (status == 424 && facts.OriginalStatus > 0)
            status = facts.OriginalStatus;
        var (kind, reach, forever) = Judge(dialect, facts, status);
        var fault = new Fault(kind) { StatusCode = evidence.StatusCode, Code = facts.Words.Select((w, rank) => rank == 3 ? facts.PlainType : w).FirstOrDefault(w => w.Any(char.IsAsciiLetter)), MayAskAgain = !facts.NoRetry };
        if (reach is { } far)
            fault = fault with { Reach = far };
        if (!failed && (kind == FaultKind.Overloaded || status == 0 && kind is FaultKind.InvalidRequest or FaultKind.ContextLength))
            fault = fault with { Applied = FaultApplied.Ambiguous };
        var wait = fault.Blame == FaultBlame.Request ? null : Wait(evidence, facts, kind);
        return Opinion(fault with { RetryAfter = wait, UntilCleared = forever || kind == FaultKind.Unauthorized || (kind == FaultKind.QuotaExhausted && wait is null) }, evidence.Request, status, facts);
    }

    private static int Implied(string dialect, Facts facts) =>
        facts.BodyStatus > 0 ? facts.BodyStatus : facts.Words.Select((w, rank) => StatusOf(dialect, w) is > 0 and var known ? known : StatusOfMeaning(w, isCode: rank == 0)).Append(facts.Field ? 400 : 0).FirstOrDefault(s => s > 0);

    private static int StatusOfMeaning(string word, bool isCode)
    {
        if (IsQuotaWord(word))
            return 429;
        return FilterWord().IsMatch(Letters(word)) || IsGeneral(word) || isCode && IsCodeOfRequest(word) && !CodeOfServer().IsMatch(word) ? 400 : 0;
    }

    private static bool IsGeneral(string code) => Regex.IsMatch(Regex.Replace(code, "[^A-Za-z]", ""), @"\Ainvalid(?:request|arguments?|parameters?)\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    private static bool IsCodeOfRequest(string code) => CodeOfRequest().IsMatch(code) && !CodeOfOthers().IsMatch(code) && !IsGeneral(code);

    private static bool IsQuotaWord(string word)
    {
        var parts = Regex.Split(word, "(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]").Select(static p => p.ToLowerInvariant()).ToList();
        if (RateWord().IsMatch(Letters(word)) || parts.Exists(static p => p is "rate" or "rates" or "second" or "seconds"))
            return false;
        return QuotaWord().IsMatch(Letters(word) + (parts.Contains("low") ? " low" : ""));
    }

    private static int StatusAtStart(string words) =>
        Regex.Match(words, @"\A[ \t\r\n]*(?:(?:-|[^ ]*(?i:error|exception):*)(?: +|(?=Error code: )))*? *Error code: (400|404|408|409|413|422|424|429|5[0-9]{2})(?![A-Za-z0-9])", RegexOptions.CultureInvariant) is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    /// <summary>The rules of second opinions, one line each.</summary>
    private static Fault Opinion(Fault fault, RequestKind request, int status, Facts facts)
    {
        var creates = request == RequestKind.CreatesAnswer;
        var isPage = !facts.IsJson;
        var saysOwn = (facts.Field || facts.Words[3] == "request_too_large" || IsCodeOfRequest(facts.Words[0]) || PathFirst().IsMatch(facts.Message))
            && !Regex.IsMatch(AfterExceptions(facts.Message), @"\A(?:your|this) *(?<![A-Za-z])(?:account|organization|organisation|org|resource|subscription|project|workspace|tenant|team|deployment|plan|tier|region|country|location)(?![\p{L}\p{Nd}])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        SecondOpinion? asks = fault.Kind switch
        {
            FaultKind.ModelNotFound when request != RequestKind.Other => SecondOpinion.Each,
            FaultKind.Forbidden => SecondOpinion.Each,
            FaultKind.NotServed when creates => SecondOpinion.Each,
            FaultKind.RequestTooLarge when fault.Reach != FaultReach.Endpoint || status == 429 || IsLargerThanLimit(facts.Message) => SecondOpinion.Each,
            FaultKind.InvalidRequest when status == 0 => SecondOpinion.Each,
            FaultKind.InvalidRequest when fault.StatusCode < 400 && facts.BodyStatus == 0 => SecondOpinion.One,
            FaultKind.InvalidRequest or FaultKind.RequestTooLarge when creates && (isPage || status is not (400 or 413 or 422)) => SecondOpinion.Each,
            FaultKind.InvalidRequest or FaultKind.RequestTooLarge when creates && !saysOwn => SecondOpinion.One,
            _ => null,
        };
        if (fault.Kind == FaultKind.ModelNotFound && request == RequestKind.Other)
            fault = fault with { Blame = FaultBlame.Request };
        if (asks is null)
            return fault;
        if (fault.Kind == FaultKind.RequestTooLarge && (status == 429 || IsLargerThanLimit(facts.Message)))
            return fault with { SecondOpinion = SecondOpinion.Each };
        return fault.Kind == FaultKind.Forbidden && request == RequestKind.Other
            ? fault with { SecondOpinion = asks.Value, Blame = FaultBlame.Request, Reach = FaultReach.Endpoint }
            : fault with { SecondOpinion = asks.Value, IsProvisional = true, Reach = FaultReach.Endpoint };
    }

    private static string DialectOf(WireDialect declared, Facts facts)
    {
        if (facts.Amazon)
            return "bedrock";
        if (facts.Google)
            return "gemini";
        if (facts.Anthropic)
            return "anthropic";
        return declared switch
        {
            WireDialect.Unknown when facts.Azure => "azure",
            WireDialect.Unknown when facts.Mistral => "mistral",
            WireDialect.Unknown => facts.Object && facts.BodyStatus == 0 ? "openai" : "vllm",
            WireDialect.AzureOpenAI => "azure",
            _ => declared.ToString().ToLowerInvariant(),
        };
    }

    private static (FaultKind, FaultReach?, bool Forever) Judge(string dialect, Facts facts, int status)
    {
        FaultReach? throttle = dialect is "azure" or "vllm" or "ollama" ? FaultReach.Endpoint : FaultReach.RateLimit;
        var meanings = facts.Words.Select(w => Meaning(dialect, w)).OfType<(FaultKind Kind, FaultReach? Reach)>().ToList();
        if (meanings.FirstOrDefault(m => m.Kind == FaultKind.QuotaExhausted) is { Kind: FaultKind.QuotaExhausted } quota)
            return (quota.Kind, quota.Reach, false);
        var isPerMinute = ShortWindow().IsMatch(Lead(AfterBeginnings(facts.Message)));
        if (status is 400 or 401 or 402 or 403 or 412 or 429 && !isPerMinute && facts.Words.Any(IsQuotaWord))
            return (FaultKind.QuotaExhausted, null, false);
        if (status is 402 or 403 or 412 or 429 && QuotaInMessage(dialect, facts) is { } forever)
            return (FaultKind.QuotaExhausted, null, forever);
        if (status is 400 or 500 && QuotaAtStart().IsMatch(OwnPart(facts.Message)))
            return (FaultKind.QuotaExhausted, null, false);
        if (status is 402 or 413 or 429 && IsLargerThanLimit(facts.Message))
            return (FaultKind.RequestTooLarge, throttle, false);
        if (meanings.Count > 0)
            return (meanings[0].Kind, meanings[0].Kind == FaultKind.Throttled ? throttle : meanings[0].Reach, false);
        var message = facts.Message;
        var first = OwnLead(message);
        var own = OwnOfMessage(message);
        var isTooLong = ContextLength().IsMatch(own) || ContextSubject().IsMatch(own) && ContextVerb().IsMatch(own);
        if (status == 0 && isTooLong)
            return (FaultKind.ContextLength, null, false);
        if (status == 0 && IsFiltered(own))
            return (FaultKind.InvalidRequest, null, false);
        if (status is 400 or 403 or 422 or 446 or 451 or 498 && facts.Words.Select(Letters).Any(w => FilterWord().IsMatch(w)))
            return (FaultKind.ContentFilter, null, false);
        if (status is 400 or 413 or 422)
        {
            if (isTooLong)
                return (FaultKind.ContextLength, null, false);
            if (IsFiltered(own))
                return (FaultKind.ContentFilter, null, false);
            if (BadKeyAtStart().IsMatch(OwnPart(message)))
                return (FaultKind.Unauthorized, null, true);
            if (BadModel().IsMatch(first) || MissingModel().IsMatch(first) || MissingModelByName().IsMatch(first))
                return (FaultKind.ModelNotFound, null, false);
        }

        if (status is 403 or 424 or 446 or 451 or 498 && (IsFiltered(own) || status == 498 && own.StartsWith("blocked ", StringComparison.OrdinalIgnoreCase)))
            return (FaultKind.ContentFilter, null, false);
        if (status == 403 && BadKey().IsMatch(first))
            return (FaultKind.Unauthorized, null, true);
        if (status == 404 && Regex.IsMatch(first, "model|deployment|no endpoints found for", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant))
            return (FaultKind.ModelNotFound, null, false);
        if (status == 500 && Regex.IsMatch(AfterBeginnings(message), @"\A(?:context size has been exceeded|the input length exceeds the context length|the request exceeds the available context size|input is too large to process)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant))
            return (FaultKind.ContextLength, null, false);
        if ((status == 429 || status >= 500) && OverloadedModel().IsMatch(first))
            return (FaultKind.Overloaded, FaultReach.Model, false);
        if ((status == 429 || status >= 500) && Overloaded().IsMatch(first))
            return (FaultKind.Overloaded, status == 529 ? FaultReach.Model : null, false);
        return status switch
        {
            0 => (FaultKind.BrokenBody, null, false),
            401 => (FaultKind.Unauthorized, null, true),
            402 => (FaultKind.QuotaExhausted, null, false),
            403 => (FaultKind.Forbidden, null, false),
            410 => (FaultKind.ModelNotFound, null, false),
            413 => (FaultKind.RequestTooLarge, null, false),
            429 => (FaultKind.Throttled, throttle, false),
            503 => (FaultKind.Overloaded, null, false),
            529 => (FaultKind.Overloaded, FaultReach.Model, false),
            408 or 424 or >= 500 => (FaultKind.ServerError, null, false),
            400 or 422 => (FaultKind.InvalidRequest, null, false),
            _ => (FaultKind.NotServed, null, false),
        };
    }

    private static (FaultKind, FaultReach?)? Meaning(string dialect, string word) =>
        s_ownWords.TryGetValue((dialect, word), out var own) ? own
        : s_wordsOfQuota.Contains(word) ? (FaultKind.QuotaExhausted, null)
        : s_words.TryGetValue(word, out var common) ? common : null;

    private static int StatusOf(string dialect, string word) =>
        word.Length == 0 ? 0 : s_statusWords.FirstOrDefault(s => (s.Dialect.Length == 0 || s.Dialect == dialect) && $" {s.Words} ".Contains($" {word} ", StringComparison.Ordinal)).Status;

    private static bool? QuotaInMessage(string dialect, Facts facts)
    {
        var charged = Regex.Replace(OwnLead(facts.Message), "no credits (?:were|have been|will be).*", "", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline);
        var isOfServer = Regex.IsMatch(AfterBeginnings(facts.Message), "concurren|simultaneous|parallel|capacity|memory|worker|gpu|thread|connection|in[ -]flight|instance|replica|slot|disk|out of time|resources", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        if (dialect != "gemini")
            return (Quota().IsMatch(charged) || Money().IsMatch(charged) || !isOfServer && Regex.IsMatch(charged, "have run out|usage limit", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)) && !ShortWindow().IsMatch(Lead(AfterBeginnings(facts.Message))) ? false : null;
        var isOfQuota = OwnLead(facts.Message).Contains("quota", StringComparison.OrdinalIgnoreCase);
        var ofGoogle = OwnPart(facts.Message);
        if (isOfQuota && FirstLimit().Match(ofGoogle) is { Success: true } limit && !Regex.IsMatch(limit.Groups[1].Value, @"^(?:[0-9]|\.[0-9])"))
            return true;
        if ((Money().IsMatch(charged) || !isOfServer && charged.Contains("have run out", StringComparison.OrdinalIgnoreCase)) && !ShortWindow().IsMatch(Lead(AfterBeginnings(facts.Message))))
            return false;
        return facts.PerDay || (isOfQuota && !facts.NamesQuota && Regex.IsMatch(ofGoogle, "per day|daily quota", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)) ? false : null;
    }

    private static bool IsLargerThanLimit(string words)
    {
        const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
        if (!Regex.IsMatch(Lead(AfterBeginnings(words)), "too large|larger|limit|token|tpm|long context", Options))
            return false;
        words = OwnPart(words);
        if (Regex.IsMatch(words, "request too large|request body too large for|request is too large for your rate limit|reduce your message size|larger than (?:your|the) rate limit|required for long context", Options))
            return true;
        if (Regex.Matches(words, "([0-9,]*[0-9]) *>(?= *([0-9][0-9,]*))").Any(m => Digits(m.Groups[1].Value) > Digits(m.Groups[2].Value)))
            return true;
        return NumberAfter("limit") is { } limit && s_sizes.Any(w => NumberAfter(w) > limit);

        double? NumberAfter(string word) => Regex.Match(words, $@"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])(?:[ :=(]|(?:of|is|was|has|tokens|token|count|to)(?![A-Za-z0-9]))*([0-9][0-9,]*)", Options) is { Success: true } m
            ? Digits(m.Groups[1].Value) : null;

        static double? Digits(string text) => text.Replace(",", "", StringComparison.Ordinal) is { Length: > 0 and <= 18 } digits ? double.Parse(digits, CultureInfo.InvariantCulture) : null;
    }

    private static bool IsFiltered(string message) =>
        ContentFilter().Match(message) is { Success: true } phrase && !SaysAccountIsOut(message[..phrase.Index])
        && (Regex.IsMatch(message[..phrase.Index], $@"(?<![A-Za-z0-9_'])(?:{Things})(?![A-Za-z0-9_'])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) || Regex.IsMatch(message[phrase.Index..], @"\A[a-z][^ ]* (?:violates|blocked)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) || !SaysAccountIsOut(Lead(message)));

    private const string Things = "requests?|prompts?|inputs?|messages?|contents?|response|output|completion|query|question|text|image|conversation|file|topic";

    /// <summary>
    /// In each sentence, the words become letters: S a subject, t a thing of the request, v a verb, b "by", X a state, Y a state with an object, m a condition, and a point any other word. Two patterns
    /// then mean that an account is out of use: a passive sentence, and an active one.
    /// </summary>
    private static bool SaysAccountIsOut(string text)
    {
        const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
        foreach (var sentence in Regex.Split(text, @"[.!?:](?= |\z)|\n"))
        {
            var words = Regex.Matches(sentence, "[A-Za-z0-9_']+");
            var letters = string.Concat(words.Select((w, i) =>
                Regex.IsMatch(w.Value, @"\A(?:accounts?|organi[sz]ation|org|resource|subscription|project|workspace|tenant|team|deployment|license|credentials?|key|user|customer|client|application|app)\z", Options)
                    || Regex.IsMatch(w.Value, @"\Aaccess\z", Options) && i > 0 && Regex.IsMatch(words[i - 1].Value, @"\A(?:your|api|account)\z", Options) ? "S"
                : Regex.IsMatch(w.Value, $@"\A(?:{Things})\z", Options) ? "t"
                : Regex.IsMatch(w.Value, @"\A(?:is|was|are|were|be|been|being|got|remains)\z", Options) ? "v"
                : Regex.IsMatch(w.Value, @"\Aby\z", Options) ? "b"
                : Regex.IsMatch(w.Value, @"\A(?:blocked|suspended|disabled|deactivated|terminated|banned|restricted|revoked|closed|locked|frozen|paused|cancell?ed|flagged|denied|barred|expelled|ineligible|inactive|blacklisted|removed)\z", Options)
                    ? (Regex.IsMatch(sentence[(w.Index + w.Length)..], @"\A (?:by|this|that|the|your|our|its|an?)(?![A-Za-z0-9_'])", Options) ? "Y" : "X")
                : Regex.IsMatch(w.Value, @"\A(?:may|might|could|can|will|would|if|when|avoid|prevent|risk|not|never)\z", Options) ? "m"
                : "."));
            letters = Regex.Replace(letters.Split('m')[0], "(?<=t.*)S", "."); // after a thing, an account only describes it
            if (Regex.IsMatch(letters, "S[^St]*v[^St]*[XY]|SX") || Regex.IsMatch(letters, "(?:^|[St])[^vSt]*[XY][^tbXYS]{0,3}S"))
                return true;
        }

        return false;
    }

    private static string Letters(string word) => Regex.Replace(word, "[^A-Za-z0-9]", "");

    [GeneratedRegex(@"(?=.*quota)(?=.*(?:insufficient|exceed|exhaust|notenough|usedup|outof|reached))|^(?:(?=.*(?:balance|credit|fund))(?!.*(?:loadbalanc|rebalanc|balancer|balanced|creditcard|refund|fundament))|(?=.*budget)(?!.*(?:token|thinking|thought|reasoning|context|output|input|prompt|completion|(?:error|retry|time|latency|compute|step|tool)budget)))(?=.*(?:insufficient|notenough|exhaust|deplet|exceed| low|toolow|balancelow|lowbalance|credits?low|lowcredit|outof|nocredit|usedup|limit|negative))|arrear|overdue|paymentrequired|spendlimit|spendinglimit|usagelimit|monthlylimit|weeklylimit|dailylimit|freetieronly", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex QuotaWord();

    [GeneratedRegex("ratelimit|minute|persecond|rpm|tpm|qps|concurren|memory", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex RateWord();

    [GeneratedRegex("contentfilter|contentpolicy|moderation|censorship|datainspection|sensitive|unsafe|prohibitedcontent|responsibleai", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FilterWord();

    [GeneratedRegex(@"^\s*" + Exceptions + @"(?:budget has been exceeded|your credit balance is too low|you have reached your specified api usage limits|billing hard limit has been reached|access denied, please make sure your account is in good standing|access denied due to overdue account|(?:your )?account is in arrears|your account balance is insufficient|insufficient account balance|insufficient balance \(1008\))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex QuotaAtStart();

    [GeneratedRegex(@"^\s*" + Exceptions + @"(?:api key not valid|api key expired|api key not found|invalid api key|incorrect api key provided)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex BadKeyAtStart();

    [GeneratedRegex(@"invalid|missing|unsupported|unknown_param|above_max|below_min|too_long|too_short|too_many|too_large|out_of_range|malformed|required|not_supported|mismatch|parse", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeOfRequest();

    [GeneratedRegex(@"key|auth|credential|token_expired|org|project|account|user|tenant|subscription|model|deployment|engine|region|country|territory|location|endpoint|host|url|api_version|request_error|bad_request|plan|tier|billing|balance|client|grant|permission|verif|licen|workspace|scope|certificat|domain|provider|login|captcha|_ip_|-ip-|\Aip_|\A(?!.*(?:tokens|max_token)).*token", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeOfOthers();

    [GeneratedRegex("response|output|answer|result|upstream|server|backend|gateway|proxy|internal|worker|stream|generat|json|chunk|node|cluster|runtime|too_many_req|too_many_con|queue|state|login|captcha|^parse", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeOfServer();

    [GeneratedRegex(@"^[* ]*(?![^ :,;\t\r\n(]*(?:Error|Exception):)(?:(?:messages|max_tokens|max_completion_tokens|max_output_tokens|temperature|top_p|top_k|tools|tool_choice|system|stop_sequences|stop|stream|metadata|thinking|response_format|input|prompt|contents|generationConfig|generation_config|n|seed|logprobs|instructions|reasoning|text|image|images|size|file|dimensions|encoding_format|documents|query|inputs|parameters|service_tier)|(?:messages|max_tokens|max_completion_tokens|max_output_tokens|temperature|top_p|top_k|tools|tool_choice|system|stop_sequences|stop|stream|metadata|thinking|response_format|input|prompt|contents|generationConfig|generation_config|n|seed|logprobs|instructions|reasoning|text|image|images|size|file|dimensions|encoding_format|documents|query|inputs|parameters|service_tier|safety_settings|safetySettings|tool_config|toolConfig|system_instruction|systemInstruction|functions|function_call|logit_bias|stream_options|web_search_options|audio|modalities|include|prediction|inferenceConfig|additionalModelRequestFields|guardrailConfig|output_config|context_management|mcp_servers|options|format|instances|requests|attachments|tool_resources|thread|items|content|role|stopSequences|toolChoice|maxTokens|data|[_A-Za-z][^ :,;\t\r\n(.\[]*Request)(?:\.[^ :,;\t\r\n(]|\[[0-9])[^ :,;\t\r\n(]*|(?i:body|request)\.(?:messages|max_tokens|max_completion_tokens|max_output_tokens|temperature|top_p|top_k|tools|tool_choice|system|stop_sequences|stop|stream|metadata|thinking|response_format|input|prompt|contents|generationConfig|generation_config|n|seed|logprobs|instructions|reasoning|text|image|images|size|file|dimensions|encoding_format|documents|query|inputs|parameters|service_tier|safety_settings|safetySettings|tool_config|toolConfig|system_instruction|systemInstruction|functions|function_call|logit_bias|stream_options|web_search_options|audio|modalities|include|prediction|inferenceConfig|additionalModelRequestFields|guardrailConfig|output_config|context_management|mcp_servers|options|format|instances|requests|attachments|tool_resources|thread|items|content|role|stopSequences|toolChoice|maxTokens|data|[^ :,;\t\r\n(.\[]+Request)(?:[.\[][^ :,;\t\r\n(]*)?):", RegexOptions.CultureInvariant)]
    private static partial Regex PathFirst();

    [GeneratedRegex("per second|per minute|per min|/ ?second|/ ?sec|/ ?minute|/ ?min|concurren|simultaneous", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ShortWindow();

    [GeneratedRegex(@"credit balance|insufficient credits|requires more credits|insufficient balance|billing hard limit|spend limit|spending limit|spend cap|spending cap|monthly limit|used all available credits|out of credits|not enough credits|no credits|have any credits|credits are depleted|credit has run out|balance has run out|no balance|weekly limit|credit limit|exceeded your monthly|exceeded its monthly|used all your credits|insufficient funds|budget has been exceeded|in arrears|overdue account|account is in good standing|balance is insufficient|insufficient account balance|not enough balance|(?:plan|package|subscription) has expired|余额不足|欠费|套餐已到期", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Money();

    [GeneratedRegex(@"exceeded your current quota|insufficient_quota|insufficient quota|quota is not enough|call volume quota|monthly quota|daily limit|daily call limit|key limit exceeded|tokens per day, please wait|api calls / month|daily free allocation|daily quota|today's quota|额度不足|额度已用尽|额度已用完|使用上限", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Quota();

    [GeneratedRegex(@"maximum context length|context length is only|exceed context limit|prompt is too long|input is too long|exceeds the maximum number of tokens|too large for model|longer than the maximum model length|exceeds the context window|exceeds the available context size|context_length_exceeded|tokens \+  must be|exceeded model token limit|prompt too long; exceeded|model_context_window_exceeded|maximum prompt length is|maximum input length is|must have less than|prompt exceeds max length|range of input length|too many tokens|must be less than max_seq_len|exceed max message tokens|prompt 超长", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ContextLength();

    [GeneratedRegex("context (?:length|window|size|limit)|prompt length|input length|input tokens|prompt tokens|number of tokens|token count|max tokens of", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ContextSubject();

    [GeneratedRegex("exceed|too long|(?:longer|greater|larger) than|not enough|only supports up to|overflow", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ContextVerb();

    [GeneratedRegex(@"content management policy|content filtering policy|content policy|our safety system|input was flagged|flagged as potentially violating|content violates|prompt violates|input violates|request violates|usage guidelines|usage policies|usage policy|acceptable use policy|safety guidelines|content guidelines|inappropriate content|harmful content|content exists risk|sensitive content|sensitive words|content filter|content safety|(?:content|prompt|response) blocked|prompt is blocked|blocked output|blocked entity detected|content audit failed|content moderation system|new_sensitive|sensitive information|safety filter|moderation policy|guardrail policy|guardrail checks|by content moderation|nsfw content detected|敏感内容|敏感词|敏感信息", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ContentFilter();

    [GeneratedRegex(@"overloaded|server overload|capacity exceeded|capacity temporarily exceeded|high demand|no capacity available|at capacity", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Overloaded();

    [GeneratedRegex(@"capacity exceeded for this model|model is overloaded|no capacity available for model", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OverloadedModel();

    [GeneratedRegex(@"api key not valid|api key expired|invalid api key|incorrect api key|api key is invalid|api key has expired|api key has been revoked|api key is disabled|api key has been disabled|bearer token has expired|api key was reported as leaked|authentication failed|api key you provided is invalid", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex BadKey();

    [GeneratedRegex(@"invalid model|model identifier is invalid|model has been decommissioned|model does not exist|unknown model|unavailable model", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex BadModel();

    [GeneratedRegex("no such model|is not a valid model|unable to access (?:non-serverless )?model|模型不存在", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MissingModel();

    [GeneratedRegex(@"(?<![\p{L}\p{Nd}_])model +(?:(?-i:(?=[^ ]*[^ A-Za-z]))[^ ]+ +)?(?:does not exist|not exist|(?:is |was )?not found)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MissingModelByName();

    [GeneratedRegex(@"limit: 0(.{0,2})", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex FirstLimit();
}
