using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Determines the meaning of an unlisted code or type from its parts. Providers that use another provider's format invent words of their own
/// (<c>exceeded_current_quota_error</c>, <c>insufficient_user_quota</c>, <c>data_inspection_failed</c>). Words are plain tokens and never a caller's text.
/// Separators and case matter only for short words, which also stand inside other words.
/// </summary>
internal static class ErrorWords
{
    private const int LongestSeparated = 2 * ErrorSigns.LongestWord + 2;

    private static readonly SearchValues<string> s_money = CreateSearch("balance", "credit", "fund");

    private static readonly SearchValues<string> s_moneyGone = CreateSearch(
        "insufficient", "notenough", "exhaust", "deplet", "exceed", "toolow", "balancelow", "lowbalance", "creditlow", "creditslow", "lowcredit", "outof", "nocredit", "usedup", "limit", "negative");

    // Words that contain a word for money and mean something else.
    private static readonly SearchValues<string> s_noMoney = CreateSearch("loadbalanc", "rebalanc", "balancer", "balanced", "creditcard", "refund", "fundament");

    // A budget of one of these is a setting of the request or of the server.
    private static readonly SearchValues<string> s_noBudget = CreateSearch(
        "token", "thinking", "thought", "reasoning", "context", "output", "input", "prompt", "completion", "errorbudget", "retrybudget", "timebudget", "latencybudget", "computebudget", "stepbudget", "toolbudget");

    private static readonly SearchValues<string> s_quotaGone = CreateSearch("insufficient", "exceed", "exhaust", "notenough", "usedup", "outof", "reached");

    private static readonly SearchValues<string> s_unpaid = CreateSearch(
        "arrear", "overdue", "paymentrequired", "spendlimit", "spendinglimit", "usagelimit", "monthlylimit", "weeklylimit", "dailylimit", "freetieronly");

    // Some providers use the word quota in the code of a limit per minute.
    private static readonly SearchValues<string> s_ofRate = CreateSearch("ratelimit", "minute", "persecond", "rpm", "tpm", "qps", "concurren", "memory");

    // These count only as whole words: "GenerateContentQuotaExceeded" is about no rate, "load_overflow" and "not_allowed" do not say that anything is low.
    private static readonly SearchValues<string> s_ofRateWords = CreateSearch("_rate_", "_rates_", "_second_", "_seconds_");

    private static readonly SearchValues<string> s_ofFilter = CreateSearch(
        "contentfilter", "contentpolicy", "moderation", "censorship", "datainspection", "sensitive", "unsafe", "prohibitedcontent", "responsibleai");

    /// <summary>Checks whether the word means a used-up quota or used-up money.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    public static bool IsQuota(ReadOnlySpan<char> word)
    {
        if (word.IsEmpty)
            return false;
        Span<char> buffer = stackalloc char[ErrorSigns.LongestWord];
        Span<char> longer = stackalloc char[LongestSeparated];
        var letters = Letters(word, buffer);
        var parts = Separated(word, longer);
        if (letters.ContainsAny(s_ofRate) || parts.ContainsAny(s_ofRateWords))
            return false;
        return letters.ContainsAny(s_unpaid)
            || NamesMoney(letters) && (letters.ContainsAny(s_moneyGone) || parts.Contains("_low_", StringComparison.OrdinalIgnoreCase))
            || letters.Contains("quota", StringComparison.OrdinalIgnoreCase) && letters.ContainsAny(s_quotaGone);
    }

    private static bool NamesMoney(ReadOnlySpan<char> letters) =>
        letters.ContainsAny(s_money) && !letters.ContainsAny(s_noMoney)
        || letters.Contains("budget", StringComparison.OrdinalIgnoreCase) && !letters.ContainsAny(s_noBudget);

    /// <summary>Checks whether the word means a content filter.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    public static bool IsFilter(ReadOnlySpan<char> word)
    {
        Span<char> buffer = stackalloc char[ErrorSigns.LongestWord];
        return Letters(word, buffer).ContainsAny(s_ofFilter);
    }

    // Removes the separators, so that "insufficient_user_balance" and "InsufficientUserBalance" are the same word.
    private static ReadOnlySpan<char> Letters(ReadOnlySpan<char> word, Span<char> buffer)
    {
        var count = 0;
        foreach (var letter in word)
        {
            if (char.IsAsciiLetterOrDigit(letter))
            {
                buffer[count++] = letter;
            }
        }
        return buffer[..count];
    }

    // Puts an underscore before and after each word: "GenerateContent" becomes "_Generate_Content_". A word begins at a capital letter after a small letter or a
    // digit, and at the last capital letter of several before a small letter ("HTTPRate").
    private static ReadOnlySpan<char> Separated(ReadOnlySpan<char> word, Span<char> buffer)
    {
        buffer[0] = '_';
        var count = 1;
        for (var i = 0; i < word.Length; i++)
        {
            var isStart = i > 0 && char.IsAsciiLetterUpper(word[i])
                && (char.IsAsciiLetterLower(word[i - 1]) || char.IsAsciiDigit(word[i - 1]) || char.IsAsciiLetterUpper(word[i - 1]) && i + 1 < word.Length && char.IsAsciiLetterLower(word[i + 1]));
            if (isStart)
                buffer[count++] = '_';
            buffer[count++] = char.IsAsciiLetterOrDigit(word[i]) ? word[i] : '_';
        }
        buffer[count++] = '_';
        return buffer[..count];
    }

    private static SearchValues<string> CreateSearch(params string[] parts) => SearchValues.Create(parts, StringComparison.OrdinalIgnoreCase);
}
