using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Contains phrases of messages that describe an error which the server's code does not describe. The search ignores case, and covers only the unquoted part of
/// a message (<see cref="ServerWords"/>). Messages are matched and never kept.
/// </summary>
internal static class ErrorPhrases
{
    // Servers in China write the same sentences in Chinese.
    private static readonly string[] s_money =
    [
        "credit balance", "insufficient credits", "requires more credits", "insufficient balance", "billing hard limit", "spend limit", "spending limit", "spend cap", "spending cap",
        "monthly limit", "used all available credits", "out of credits", "not enough credits", "no credits", "have any credits", "credits are depleted", "credit has run out", "balance has run out", "no balance", "weekly limit", "credit limit", "exceeded your monthly", "exceeded its monthly", "used all your credits",
        "insufficient funds", "budget has been exceeded", "in arrears", "overdue account", "account is in good standing", "balance is insufficient", "insufficient account balance",
        "not enough balance", "plan has expired", "package has expired", "subscription has expired",
    ];

    // A search for texts in English alone is several times as fast.
    private static readonly string[] s_chineseMoney = ["余额不足", "欠费", "套餐已到期"];
    private static readonly string[] s_chineseQuota = [.. s_chineseMoney, "额度不足", "额度已用尽", "额度已用完", "使用上限"];

    /// <summary>Gets the phrases about used-up money.</summary>
    public static UsedUpPhrases Money { get; } = new(CreateSearch([.. s_money, "have run out"]), CreateSearch(s_money), CreateSearch(s_chineseMoney));

    /// <summary>Gets the beginnings of sentences that say that a refused request cost nothing. They are not about a used-up quota.</summary>
    public static SearchValues<string> Uncharged { get; } = CreateSearch("no credits were", "no credits have been", "no credits will be");

    private static readonly string[] s_quota =
    [
        .. s_money, "exceeded your current quota", "insufficient_quota", "insufficient quota", "quota is not enough", "call volume quota", "monthly quota", "daily limit", "daily call limit", "key limit exceeded",
        "tokens per day, please wait", "api calls / month", "daily free allocation", "daily quota", "today's quota",
    ];

    /// <summary>Gets the phrases about a used-up quota or used-up money.</summary>
    public static UsedUpPhrases Quota { get; } = new(CreateSearch([.. s_quota, "have run out", "usage limit"]), CreateSearch(s_quota), CreateSearch(s_chineseQuota));

    /// <summary>Gets words for the resources of a server. A general phrase ("We have run out of capacity") beside one of them is about the server.</summary>
    public static SearchValues<string> OfServer { get; } = CreateSearch(
        "concurren", "simultaneous", "parallel", "capacity", "memory", "worker", "gpu", "thread", "connection", "in flight", "in-flight", "instance", "replica", "slot", "disk", "out of time", "resources");

    /// <summary>Gets the words for a limit of a minute or less, or of simultaneous requests. Such a limit is a throttle, even if the message calls it a quota.</summary>
    public static SearchValues<string> ShortWindow { get; } = CreateSearch(
        "per second", "per min", "/second", "/ second", "/sec", "/ sec", "/min", "/ min", "concurren", "simultaneous");

    /// <summary>Gets the sentences about money with which providers begin a 400. In any other place such words may be the caller's.</summary>
    public static string[] QuotaSentences { get; } =
        ["your credit balance is too low", "you have reached your specified api usage limits", "billing hard limit has been reached",
         "access denied, please make sure your account is in good standing", "access denied due to overdue account", "your account is in arrears",
         "account is in arrears", "your account balance is insufficient", "insufficient account balance", "insufficient balance (1008)", "budget has been exceeded"];

    /// <summary>Gets the sentences about a prompt that is too long with which servers of models begin a 500.</summary>
    public static string[] LengthSentences { get; } = ["context size has been exceeded", "the input length exceeds the context length", "the request exceeds the available context size", "input is too large to process"];

    /// <summary>Gets the sentences about a bad key with which providers begin a 400.</summary>
    public static string[] BadKeySentences { get; } =
        ["api key not valid", "api key expired", "api key not found", "invalid api key", "incorrect api key provided"];

    private static readonly SearchValues<string> s_contextLength = CreateSearch(
        "maximum context length", "context length is only", "exceed context limit", "prompt is too long", "input is too long",
        "exceeds the maximum number of tokens", "too large for model", "longer than the maximum model length", "exceeds the context window",
        "exceeds the available context size", "context_length_exceeded", "tokens +  must be", "exceeded model token limit", "prompt too long; exceeded",
        "model_context_window_exceeded", "maximum prompt length is", "maximum input length is", "must have less than", "prompt exceeds max length", "range of input length", "too many tokens", "must be less than max_seq_len", "exceed max message tokens", "prompt 超长");

    // A prompt is too long if the message contains a phrase of this list and a phrase of the next list.
    private static readonly SearchValues<string> s_promptLength = CreateSearch(
        "context length", "context window", "context size", "context limit", "prompt length", "input length", "input tokens", "prompt tokens", "number of tokens", "token count", "max tokens of");

    private static readonly SearchValues<string> s_tooLong = CreateSearch("exceed", "too long", "longer than", "greater than", "larger than", "not enough", "only supports up to", "overflow");

    /// <summary>Checks whether the message says that a prompt is too long.</summary>
    /// <param name="words">The message, without quoted text.</param>
    public static bool IsContextLength(ReadOnlySpan<char> words) => words.ContainsAny(s_contextLength) || words.ContainsAny(s_promptLength) && words.ContainsAny(s_tooLong);

    private static readonly SearchValues<string> s_contentFilter = CreateSearch(
        "content management policy", "content filtering policy", "content policy", "our safety system", "input was flagged",
        "flagged as potentially violating",
        "content violates", "prompt violates", "input violates", "request violates", "usage guidelines", "usage policies", "usage policy", "acceptable use policy",
        "safety guidelines", "content guidelines", "inappropriate content", "harmful content", "content exists risk", "sensitive content", "sensitive words",
        "content filter", "content safety", "content blocked", "prompt blocked", "prompt is blocked", "response blocked", "blocked output", "blocked entity detected", "content audit failed", "content moderation system", "new_sensitive", "sensitive information", "safety filter", "moderation policy",
        "guardrail policy", "guardrail checks", "by content moderation", "nsfw content detected");

    private static readonly SearchValues<string> s_chineseFilter = CreateSearch("敏感内容", "敏感词", "敏感信息");

    /// <summary>
    /// Checks whether the message says that a filter refused a prompt. A message that says that an account is out of use ("Your resource has been blocked … may
    /// violate our content policy") is about the account, and not about a prompt.
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    public static bool IsContentFilter(ReadOnlySpan<char> words)
    {
        var at = words.IndexOfAny(s_contentFilter);
        if (HasChinese(words) && words.IndexOfAny(s_chineseFilter) is >= 0 and var chinese && (at < 0 || chinese < at))
            at = chinese;
        if (at < 0)
            return false;
        // The text after the phrase may be a caller's, and it may be a warning ("Your prompt violates our usage policy. Your account has been flagged").
        return !AccountStates.AreStatedIn(words[..at]) && (AccountStates.NamesThing(words[..at]) || BeginsWithThing(words[at..]) || !AccountStates.AreStatedIn(ServerWords.Lead(words)));
    }

    // "prompt violates", but not "content policy".
    private static bool BeginsWithThing(ReadOnlySpan<char> phrase)
    {
        var rest = phrase[Math.Max(0, phrase.IndexOf(' '))..];
        return char.IsAsciiLetter(phrase[0]) && (rest.StartsWith(" violates", StringComparison.OrdinalIgnoreCase) || rest.StartsWith(" blocked", StringComparison.OrdinalIgnoreCase));
    }

    public static SearchValues<string> Overloaded { get; } = CreateSearch(
        "overloaded", "server overload", "capacity exceeded", "capacity temporarily exceeded", "high demand", "no capacity available", "at capacity");

    public static SearchValues<string> OverloadedModel { get; } = CreateSearch(
        "capacity exceeded for this model", "model is overloaded", "no capacity available for model");

    public static SearchValues<string> BadKey { get; } = CreateSearch(
        "api key not valid", "api key expired", "invalid api key", "incorrect api key", "api key is invalid", "api key has expired", "api key has been revoked", "api key is disabled", "api key has been disabled", "bearer token has expired", "api key was reported as leaked", "authentication failed", "api key you provided is invalid");

    public static SearchValues<string> NoModel { get; } = CreateSearch("model", "deployment", "no endpoints found for");

    public static SearchValues<string> BadModel { get; } = CreateSearch("invalid model", "model identifier is invalid", "model has been decommissioned", "model does not exist", "unknown model", "unavailable model");

    /// <summary>Checks whether a text may contain Chinese.</summary>
    public static bool HasChinese(ReadOnlySpan<char> words) => !System.Text.Ascii.IsValid(words);

    private static SearchValues<string> CreateSearch(params string[] phrases) => SearchValues.Create(phrases, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Phrases that say that something is used up.</summary>
/// <param name="All">All of them, with the phrases that may also be about a server ("have run out", "usage limit").</param>
/// <param name="Exact">Only the phrases that name money or a quota.</param>
/// <param name="Chinese">The phrases that name money or a quota in Chinese.</param>
internal sealed record UsedUpPhrases(SearchValues<string> All, SearchValues<string> Exact, SearchValues<string> Chinese)
{
    /// <summary>Checks whether a text contains one of the phrases.</summary>
    /// <param name="words">The text.</param>
    /// <param name="isExact">True if only the phrases that name money or a quota count.</param>
    public bool AreIn(ReadOnlySpan<char> words, bool isExact = false) => words.ContainsAny(isExact ? Exact : All) || ErrorPhrases.HasChinese(words) && words.ContainsAny(Chinese);
}
