using System.Buffers;

namespace HaKit.Dialects;

/// <summary>Determines whether the message of a 400, 413 or 422 says that a model does not exist ("The model `x` does not exist"). Pure.</summary>
internal static class MissingModels
{
    private const string Model = "model";
    private const string ChineseModel = "模型";

    private static readonly SearchValues<string> s_phrases = SearchValues.Create(
        ["no such model", "is not a valid model", "unable to access model", "unable to access non-serverless model", "模型不存在"], StringComparison.OrdinalIgnoreCase);

    private static readonly string[] s_states = ["does not exist", "not exist", "not found", "is not found", "was not found"];

    private static readonly SearchValues<char> s_letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>
    /// Checks the message for known phrases and for the name of a missing model.
    /// </summary>
    /// <param name="message">The message. Only its own part is read.</param>
    public static bool AreStatedIn(ref ServerMessage message)
    {
        if (!message.Text.Contains(Model, StringComparison.OrdinalIgnoreCase) && !message.Text.Contains(ChineseModel, StringComparison.Ordinal))
            return false;
        var clause = message.OwnLead;
        if (clause.ContainsAny(ErrorPhrases.BadModel) || clause.ContainsAny(s_phrases))
            return true;
        for (var from = 0; clause[from..].IndexOf(Model, StringComparison.OrdinalIgnoreCase) is >= 0 and var step;)
        {
            var at = from + step;
            from = at + Model.Length;
            if ((at == 0 || !char.IsLetterOrDigit(clause[at - 1]) && clause[at - 1] != '_') && IsMissing(clause[from..]))
                return true;
        }

        return false;
    }

    // " does not exist", " gpt-9 does not exist". A word of letters only is not a name: "The model response was not found" is not about a model.
    private static bool IsMissing(ReadOnlySpan<char> rest)
    {
        if (rest is not [' ', ..])
            return false;
        rest = rest.TrimStart(' ');
        if (BeginsWithState(rest))
            return true;
        var end = rest.IndexOf(' ');
        return end > 0 && rest[..end].ContainsAnyExcept(s_letters) && BeginsWithState(rest[end..].TrimStart(' '));
    }

    private static bool BeginsWithState(ReadOnlySpan<char> rest)
    {
        foreach (var state in s_states)
        {
            if (rest.StartsWith(state, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
