using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Determines the meaning of an unlisted code or type from its parts. Providers that use another provider's format invent words of their own
/// (<c>exceeded_current_quota_error</c>, <c>insufficient_user_quota</c>, <c>data_inspection_failed</c>). Words are plain tokens and never a caller's text.
/// Separators and case do not matter.
/// </summary>
internal static class ErrorWords
{
    private static readonly SearchValues<string> s_money = CreateSearch("balance", "credit", "fund", "budget");

    private static readonly SearchValues<string> s_moneyGone = CreateSearch("insufficient", "notenough", "exhaust", "deplet", "exceed", "low", "outof", "nocredit", "usedup", "limit", "negative");

    private static readonly SearchValues<string> s_quotaGone = CreateSearch("insufficient", "exceed", "exhaust", "notenough", "usedup", "outof", "reached");

    private static readonly SearchValues<string> s_unpaid = CreateSearch(
        "arrear", "overdue", "paymentrequired", "spendlimit", "spendinglimit", "usagelimit", "monthlylimit", "weeklylimit", "dailylimit", "freetieronly");

    // Some providers use the word quota in the code of a limit per minute, and a budget of tokens is a setting of the request.
    private static readonly SearchValues<string> s_ofRate = CreateSearch("rate", "minute", "second", "rpm", "tpm", "qps", "concurren", "tokenbudget", "thinkingbudget", "reasoningbudget");

    private static readonly SearchValues<string> s_ofFilter = CreateSearch(
        "contentfilter", "contentpolicy", "moderation", "datainspection", "sensitive", "unsafe", "prohibitedcontent", "responsibleai");

    /// <summary>Checks whether the word means a used-up quota or used-up money.</summary>
    /// <param name="word">A plain token; empty when absent.</param>
    public static bool IsQuota(ReadOnlySpan<char> word)
    {
        Span<char> buffer = stackalloc char[ErrorSigns.LongestWord];
        var letters = Letters(word, buffer);
        return !letters.IsEmpty && !letters.ContainsAny(s_ofRate)
            && (letters.ContainsAny(s_unpaid)
                || letters.ContainsAny(s_money) && letters.ContainsAny(s_moneyGone)
                || letters.Contains("quota", StringComparison.OrdinalIgnoreCase) && letters.ContainsAny(s_quotaGone));
    }

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

    private static SearchValues<string> CreateSearch(params string[] parts) => SearchValues.Create(parts, StringComparison.OrdinalIgnoreCase);
}
