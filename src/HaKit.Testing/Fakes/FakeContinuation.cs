namespace HaKit.Testing;

/// <summary>The way in which a fake answers a conversation that ends with an assistant message (the beginning of an answer).</summary>
public enum FakeContinuation
{
    /// <summary>The fake continues the answer after the beginning.</summary>
    GoesOn,

    /// <summary>The fake repeats the last 24 characters of the beginning and then continues.</summary>
    RepeatsTail,

    /// <summary>The fake refuses the request with 400.</summary>
    Refuses,

    /// <summary>The fake returns the whole answer again.</summary>
    StartsOver,

    /// <summary>The fake repeats the whole beginning, as Mistral does, and then continues.</summary>
    RepeatsBeginning,
}

/// <summary>Creates the rest of an answer after a given beginning.</summary>
internal static class FakeRest
{
    public const string Refusal = "This model does not support assistant message prefill. The conversation must end with a user message.";

    private const int RepeatedTail = 24;

    /// <summary>Returns the remaining pieces of an answer.</summary>
    /// <param name="prompt">The prompt of the conversation.</param>
    /// <param name="beginning">The beginning of the answer; null when there is none.</param>
    /// <param name="maxTokens">The requested number of tokens; null: the fake chooses.</param>
    /// <param name="how">The way in which the fake treats the beginning.</param>
    public static string[] PiecesOf(string prompt, string? beginning, int? maxTokens, FakeContinuation how)
    {
        if (string.IsNullOrEmpty(beginning) || how is FakeContinuation.StartsOver or FakeContinuation.Refuses)
            return FakeAnswers.TokensOf(prompt, maxTokens);
        var known = KnownTokens(prompt, beginning, out var within);
        var all = FakeAnswers.TokensOf(prompt, maxTokens is { } more ? known + more : null);
        if (!string.Concat(all).StartsWith(beginning, StringComparison.Ordinal))
            return FakeAnswers.TokensOf(prompt, maxTokens);
        List<string> rest = [.. all.Skip(known)];
        if (within > 0)
            rest.Insert(0, all[known - 1][within..]);
        if (how == FakeContinuation.RepeatsTail)
            rest.Insert(0, beginning[^Math.Min(RepeatedTail, beginning.Length)..]);
        if (how == FakeContinuation.RepeatsBeginning)
            rest.Insert(0, beginning);
        return rest.Count == 0 ? [""] : [.. rest];
    }

    // Returns the number of tokens in the beginning. If the beginning ends inside a token, this token is counted too, and "within" is the number of its
    // characters that the beginning has.
    private static int KnownTokens(string prompt, string beginning, out int within)
    {
        var tokens = FakeAnswers.TokensOf(prompt, beginning.Length);
        var length = 0;
        for (var i = 0; i < tokens.Length; i++)
        {
            if (length >= beginning.Length)
            {
                within = 0;
                return i;
            }
            length += tokens[i].Length;
            if (length > beginning.Length)
            {
                within = tokens[i].Length - (length - beginning.Length);
                return i + 1;
            }
        }
        within = 0;
        return tokens.Length;
    }
}
