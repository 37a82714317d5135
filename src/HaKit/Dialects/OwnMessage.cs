namespace HaKit.Dialects;

/// <summary>
/// Finds the part of a refusal in which the server speaks about a prompt: about its length, its content or its model. A server may repeat the prompt after this
/// part, with or without quotation marks. Pure.
/// </summary>
internal static class OwnMessage
{
    private const int LongestBeginning = 64;

    // After each of these beginnings the message goes on in the server's own words, if it goes on with the second text. Without this text, a caller's text may
    // follow: "Invalid request: why is the prompt too long".
    private static readonly (string Beginning, string Next)[] s_beginnings =
    [
        ("the model returned the following errors: ", ""), ("image generation failed with the following error: ", ""), ("input validation error: ", ""), ("invalid input argument for model : ", "the number of input tokens "),
        ("invalid prompt: ", "your prompt "), ("invalid request: ", "your request "), ("invalid argument: ", "prompt is too long"), ("unsafe request: ", "this "), ("bad_request: ", "input is too long"),
        ("encountered an error when fetching new request: ", "prompt length "), ("request blocked: ", "user "), ("access denied: ", "user "), ("your organization blocked this request: ", "content "), ("/chat/completions: ", "invalid model name"),
        ("internalerror.algo.invalidparameter: ", "range of "), ("internalerror.algo.datainspectionfailed: ", ""), ("<400> ", "internalerror."),
        ("openai error: ", ""), ("azure-openai error: ", ""), ("anthropic error: ", ""), ("bedrock error: ", ""), ("google error: ", ""), ("vertex-ai error: ", ""), ("mistral-ai error: ", ""), ("groq error: ", ""),
    ];

    // vLLM: "max_tokens is too large: 5000. This model's maximum context length is 4096 tokens".
    private static readonly string[] s_beforeNumber = ["too large", "too long"];

    /// <summary>
    /// Gets the part. It ends where a caller's text may begin: at a colon, a dash, the end of the line, an equals sign, an opening brace, or a word such as
    /// "prompt", unless a verb of the server follows ("prompt exceeds"). Text in parentheses is left out (<see cref="OwnSentences.WithoutParentheses"/>).
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    /// <param name="buffer">At least as long as the message if the message has parentheses.</param>
    public static ReadOnlySpan<char> Read(ReadOnlySpan<char> words, Span<char> buffer)
    {
        words = ServerWords.AfterExceptions(words.TrimStart(" \t\r\n"));
        while (LengthOfBeginning(words) is > 0 and var length)
            words = ServerWords.AfterExceptions(words[length..].TrimStart(' '));
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] is '=' or '{' || ServerWords.EndsClause(words, i) && !(words[i] == ':' && IsBeforeNumber(words, i)) || OwnSentences.BeginsEcho(words, i))
            {
                words = words[..i];
                break;
            }
        }

        return OwnSentences.WithoutParentheses(words, buffer);
    }

    private static int LengthOfBeginning(ReadOnlySpan<char> words)
    {
        if (!words[..Math.Min(words.Length, LongestBeginning)].Contains(':'))
            return 0;
        foreach (var (beginning, next) in s_beginnings)
        {
            if (words.StartsWith(beginning, StringComparison.OrdinalIgnoreCase) && words[beginning.Length..].StartsWith(next, StringComparison.OrdinalIgnoreCase))
                return beginning.Length;
        }

        return 0;
    }

    private static bool IsBeforeNumber(ReadOnlySpan<char> words, int colon)
    {
        var number = OwnSentences.WordAt(words[(colon + 1)..].TrimStart(' '));
        return number is [>= '0' and <= '9', ..] && OwnSentences.EndsWithAny(words[..colon], s_beforeNumber);
    }
}
