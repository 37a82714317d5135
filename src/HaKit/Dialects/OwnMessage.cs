using System.Buffers;

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

    private static readonly SearchValues<char> s_numeric = SearchValues.Create("0123456789.,/");

    private static readonly string[] s_echoes = ["prompt", "input", "question", "query", "says", "said", "saying", "asked", "wrote", "quoted", "got", "value", "unexpected", "unrecognized", "parse", "parsing", "decode", "decoding", "deserialize"];
    private static readonly SearchValues<string> s_anyEcho = SearchValues.Create(s_echoes, StringComparison.OrdinalIgnoreCase);
    private static readonly string[] s_measures = ["token", "tokens", "size", "length", "error", "failure", "condition", "problem", "argument", "arguments"];

    // The server goes on in its own words: "the prompt exceeds the context window", "your input was flagged".
    private static readonly string[] s_verbs =
    [
        "is too ", "is longer ", "is larger ", "is greater ", "and maximum output tokens ", "is blocked", "was blocked", "was flagged", "was rejected", "was filtered", "was refused", "could not be submitted", "exceed", "violate", "contains ", "triggering ", "triggered ", "blocked ",
        "too long", "cannot exceed ", "data may ", "text may ", "image may ", "image violates ", "content audit ", "new_sensitive", ", sent to ", "超长",
    ];

    // vLLM: "max_tokens is too large: 5000. This model's maximum context length is 4096 tokens".
    private static readonly string[] s_beforeNumber = ["too large", "too long"];

    /// <summary>
    /// Gets the part. It ends where a caller's text may begin: at a colon, a dash, the end of the line, an equals sign, an opening brace, or a word such as
    /// "prompt", unless a verb of the server follows ("prompt exceeds"). Text in parentheses is left out (<see cref="WithoutParentheses"/>).
    /// </summary>
    /// <param name="words">The message, without quoted text, after its beginnings (<see cref="AfterBeginnings"/>).</param>
    /// <param name="buffer">At least as long as the message if the message has parentheses.</param>
    public static ReadOnlySpan<char> Read(ReadOnlySpan<char> words, Span<char> buffer)
    {
        var end = words.Length;
        for (var from = 0; words[from..].IndexOfAny(ServerWords.Signs) is >= 0 and var step;)
        {
            var at = from + step;
            from = at + 1;
            if (words[at] is '=' or '{' || ServerWords.EndsClause(words, at) && !(words[at] == ':' && IsBeforeNumber(words, at)))
            {
                end = at;
                break;
            }
        }

        for (var from = 0; words[from..end].IndexOfAny(s_anyEcho) is >= 0 and var step;)
        {
            var at = from + step;
            from = at + 1;
            if (BeginsEcho(words, at))
                end = at;
            if (from > end)
                break;
        }

        return WithoutParentheses(words[..end], buffer);
    }

    /// <summary>Gets the message after the names of exceptions and the beginnings that gateways put in front of it.</summary>
    /// <param name="words">The message, without quoted text.</param>
    public static ReadOnlySpan<char> AfterBeginnings(ReadOnlySpan<char> words)
    {
        words = ServerWords.AfterExceptions(words.TrimStart(" \t\r\n"));
        while (LengthOfBeginning(words) is > 0 and var length)
            words = ServerWords.AfterExceptions(words[length..].TrimStart(' '));
        return words;
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
        var number = WordAt(words[(colon + 1)..].TrimStart(' '));
        return number is [>= '0' and <= '9', ..] && EndsWithAny(words[..colon], s_beforeNumber);
    }

    /// <summary>
    /// Removes the text in parentheses, which may be a caller's: from the first parenthesis to the last one, because this text may contain parentheses itself.
    /// A parenthesis with one word or a number ("(TPM)", "(5000 tokens)") is the server's.
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    /// <param name="buffer">At least as long as the message if the message has parentheses.</param>
    private static ReadOnlySpan<char> WithoutParentheses(ReadOnlySpan<char> words, Span<char> buffer)
    {
        for (var at = 0; words[at..].IndexOf('(') is >= 0 and var step;)
        {
            at += step;
            var length = words[at..].IndexOf(')');
            if (length < 0)
                return words[..at];
            if (IsWordOrNumber(words[(at + 1)..(at + length)]))
            {
                at += length;
                continue;
            }
            var rest = words[(words.LastIndexOf(')') + 1)..];
            words[..at].CopyTo(buffer);
            rest.CopyTo(buffer[at..]);
            return buffer[..(at + rest.Length)];
        }

        return words;
    }

    // "TPM", "4096", "5000.0", "0/0 used", "length 5000".
    private static bool IsWordOrNumber(ReadOnlySpan<char> text)
    {
        var first = PartAt(text);
        var second = text[first.Length..].TrimStart(' ');
        return second.IsEmpty || PartAt(second).Length == second.Length && (IsNumber(first) || IsNumber(second));
    }

    private static ReadOnlySpan<char> PartAt(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '.' or ',' or '/'))
            end++;
        return text[..end];
    }

    private static bool IsNumber(ReadOnlySpan<char> word) => word is [>= '0' and <= '9', ..] && word.IndexOfAnyExcept(s_numeric) < 0;

    /// <summary>Checks whether a caller's text may follow this word ("prompt", "input").</summary>
    public static bool IsEcho(ReadOnlySpan<char> word) => IsOneOf(word, s_echoes);

    /// <summary>Checks whether a caller's text may follow the word at this place: "prompt hello", but neither "prompt tokens" nor "prompt exceeds".</summary>
    /// <param name="words">The message, without quoted text.</param>
    /// <param name="at">The place.</param>
    private static bool BeginsEcho(ReadOnlySpan<char> words, int at)
    {
        if (at > 0 && char.IsLetterOrDigit(words[at - 1]))
            return false;
        var word = WordAt(words[at..]);
        var rest = words[(at + word.Length)..];
        return IsOneOf(word, s_echoes) && rest is not ['_', ..] && !IsServersOwn(rest);
    }

    private static bool IsServersOwn(ReadOnlySpan<char> rest)
    {
        rest = rest.TrimStart(' ');
        if (rest is ['(', ..] && rest.IndexOf(')') is > 0 and var close)
            rest = rest[(close + 1)..].TrimStart(' ');
        return IsOneOf(WordAt(rest), s_measures) || StartsWithAny(rest, s_verbs);
    }

    /// <summary>Gets the word at the beginning of a text. Empty if the text does not begin with a letter or a digit.</summary>
    public static ReadOnlySpan<char> WordAt(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && char.IsLetterOrDigit(text[end]))
            end++;
        return text[..end];
    }

    /// <summary>Checks whether the word is one of these words. Case does not matter.</summary>
    public static bool IsOneOf(ReadOnlySpan<char> word, string[] words)
    {
        foreach (var known in words)
        {
            if (word.Equals(known, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool StartsWithAny(ReadOnlySpan<char> text, string[] beginnings)
    {
        foreach (var beginning in beginnings)
        {
            if (text.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary>Checks whether the text ends with one of these texts. Case does not matter.</summary>
    private static bool EndsWithAny(ReadOnlySpan<char> text, string[] ends)
    {
        foreach (var end in ends)
        {
            if (text.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
