namespace HaKit.Testing;

/// <summary>What a fake does with a conversation that ends with an assistant message: the beginning of an answer.</summary>
public enum FakeContinuation
{
    /// <summary>It goes on from the beginning.</summary>
    GoesOn,

    /// <summary>It repeats the last 24 characters of the beginning, and goes on.</summary>
    RepeatsTail,

    /// <summary>It refuses the request with 400.</summary>
    Refuses,

    /// <summary>It gives the whole answer anew.</summary>
    StartsOver,

    /// <summary>It begins its answer with the beginning, as Mistral does, and goes on.</summary>
    RepeatsBeginning,
}

/// <summary>The rest of an answer, as a fake gives it.</summary>
internal static class FakeRest
{
    public const string Refusal = "This model does not support assistant message prefill. The conversation must end with a user message.";

    private const int RepeatedTail = 24;

    /// <summary>The pieces of an answer from its beginning on.</summary>
    /// <param name="prompt">The question.</param>
    /// <param name="beginning">What there is of the answer; null for nothing.</param>
    /// <param name="maxTokens">How many tokens are asked for; null for the fake's choice.</param>
    /// <param name="how">What the fake does with a beginning.</param>
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

    // How many tokens the beginning has, the last one perhaps in part.
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
