using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Tells what a code or type that no dialect lists means, by its parts: providers that speak like another one invent words of their own
/// (<c>exceeded_current_quota_error</c>, <c>insufficient_user_quota</c>, <c>data_inspection_failed</c>). Words are plain tokens and never a caller's text.
/// </summary>
internal static class ErrorWords
{
    private static readonly SearchValues<string> s_usedUp = Of("insufficient", "exceed", "exhaust", "not_enough", "used_up");

    private static readonly SearchValues<string> s_noMoney = Of(
        "insufficient_balance", "insufficientbalance", "insufficient_user_balance", "insufficient_credit", "insufficientcredit", "insufficient_user_credit", "insufficient_fund", "insufficientfund",
        "insufficientuserbalance", "insufficientuser_balance", "insufficient_userbalance", "insufficientusercredit", "insufficientuser_credit", "insufficient_usercredit",
        "insufficient_user_fund", "insufficientuserfund", "insufficientuser_fund", "insufficient_userfund",
        "balance_not_enough", "balancenot_enough", "balance_notenough", "balancenotenough", "balance_insufficient", "balanceinsufficient", "balance_exhaust", "balanceexhaust",
        "credit_exhaust", "creditexhaust", "credit_insufficient", "creditinsufficient", "credit_depleted", "creditdepleted",
        "arrear", "overdue", "payment_required", "paymentrequired", "spend_limit", "spendlimit", "out_of_credit", "outof_credit", "out_ofcredit", "outofcredit");

    // A limit of a minute has the word quota in some providers' codes.
    private static readonly SearchValues<string> s_ofRate = Of("rate", "minute", "second", "rpm", "tpm", "qps", "concurren");

    private static readonly SearchValues<string> s_ofFilter = Of(
        "content_filter", "contentfilter", "content_policy", "contentpolicy", "moderation", "data_inspection", "datainspection", "sensitive", "unsafe", "prohibited_content",
        "prohibitedcontent", "responsibleai");

    private static readonly SearchValues<string> s_tooLarge = Of("request too large", "request is too large for your rate limit", "reduce your message size");

    private static readonly SearchValues<char> s_numeric = SearchValues.Create("0123456789,");

    /// <summary>Does the word tell of a quota or of money that is used up?</summary>
    public static bool IsQuota(ReadOnlySpan<char> word) => !word.IsEmpty
        && (word.ContainsAny(s_noMoney) || word.Contains("quota", StringComparison.OrdinalIgnoreCase) && word.ContainsAny(s_usedUp)) && !word.ContainsAny(s_ofRate);

    /// <summary>Does the word tell of a content filter?</summary>
    public static bool IsFilter(ReadOnlySpan<char> word) => word.ContainsAny(s_ofFilter);

    /// <summary>Does the message say that this one request is larger than the limit of a whole minute? Then waiting does not help it, and nothing else is throttled.</summary>
    /// <param name="words">The message, without what it quotes.</param>
    public static bool IsLargerThanLimit(ReadOnlySpan<char> words) =>
        words.ContainsAny(s_tooLarge) || NumberAfter(words, "limit") is { } limit && NumberAfter(words, "requested") is { } requested && requested > limit;

    // The first number behind the word: "Limit 30000", "Limit: 30,000".
    private static double? NumberAfter(ReadOnlySpan<char> words, string word)
    {
        for (var from = 0; words[from..].IndexOf(word, StringComparison.OrdinalIgnoreCase) is >= 0 and var step;)
        {
            var at = from + step;
            from = at + word.Length;
            if (at > 0 && char.IsAsciiLetterOrDigit(words[at - 1]))
                continue;
            var rest = words[from..];
            if (rest is [':', ..])
                rest = rest[1..];
            rest = rest.TrimStart(' ');
            var end = rest.IndexOfAnyExcept(s_numeric);
            if (rest is [>= '0' and <= '9', ..])
                return Number(end < 0 ? rest : rest[..end]);
        }
        return null;
    }

    private static double? Number(ReadOnlySpan<char> text)
    {
        double number = 0;
        var digits = 0;
        foreach (var c in text)
        {
            if (c != ',')
                (number, digits) = (number * 10 + (c - '0'), digits + 1);
        }

        return digits <= 18 ? number : null;
    }

    private static SearchValues<string> Of(params string[] parts) => SearchValues.Create(parts, StringComparison.OrdinalIgnoreCase);
}
