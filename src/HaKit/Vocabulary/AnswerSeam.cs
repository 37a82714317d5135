namespace HaKit;

/// <summary>
/// Joins the rest of a cut answer to the delivered part, so that no text is repeated or lost. White space at the end of the delivered part is not sent to the
/// next endpoint. If the rest begins with the same white space, this white space is removed once, because the caller already has it. Works on text only. Create
/// one instance for each seam; not thread-safe.
/// </summary>
public sealed class AnswerSeam
{
    /// <summary>The shortest repetition that is dropped. A shorter repetition is treated as a part of the answer.</summary>
    public const int ShortestOverlap = 16;

    private const int LongestOverlap = 512;

    private const int LongestToken = 16;

    // If the rest begins with the same characters as the delivered text, the endpoint gives the answer again from the start. This number of characters is
    // compared, or the whole delivered text if it is shorter. Fewer equal characters may be a coincidence.
    private const int StartCompared = 48;

    private static readonly string[] s_reasoning = ["<think", "<reasoning>", "<|channel|>"];

    private static readonly System.Buffers.SearchValues<string> s_toolCalls = System.Buffers.SearchValues.Create(
        ["<tool_call>", "<function=", "[TOOL_CALLS]", "<|python_tag|>", "<\uff5ctool\u2581calls\u2581begin\uff5c>"], StringComparison.Ordinal);

    private readonly string _trailingSpace;
    private readonly bool _repeatsTail;
    private readonly bool _repeatsBeginning;
    private readonly int _startCompared;
    private string _held = "";
    private int _matched; // the number of characters of Beginning that have arrived again and are not in _held
    private bool _isOpen;

    /// <summary>Creates the seam after a text.</summary>
    /// <param name="delivered">All delivered text.</param>
    /// <param name="repeatsTail">
    /// True if the next endpoint repeats the last words of the delivered text. A repetition of at least 16 characters is then dropped.
    /// </param>
    public AnswerSeam(string delivered, bool repeatsTail = false)
        : this(delivered, repeatsTail, repeatsBeginning: false)
    {
    }

    internal AnswerSeam(string delivered, bool repeatsTail, bool repeatsBeginning)
    {
        ArgumentNullException.ThrowIfNull(delivered);
        var end = delivered.Length;
        // If the text ends in the middle of a surrogate pair, the next endpoint sends the whole character again, but the caller already has its first half.
        if (end > 0 && char.IsHighSurrogate(delivered[end - 1]))
            end--;
        while (end > 0 && char.IsWhiteSpace(delivered[end - 1]))
            end--;
        Beginning = delivered[..end];
        _trailingSpace = delivered[end..];
        _repeatsTail = repeatsTail;
        _repeatsBeginning = repeatsBeginning || repeatsTail && Beginning.Length >= ShortestOverlap;
        _startCompared = repeatsTail ? 0 : ComparedOf(Beginning);
    }

    /// <summary>
    /// Gets the text to give to the next endpoint as the beginning of its answer. Empty if only white space was delivered; the original request is then sent
    /// again.
    /// </summary>
    public string Beginning { get; }

    /// <summary>
    /// Gets or sets whether the delivered text has all the tokens that the request allows. Only the end of the answer is then missing. A request must allow at
    /// least one token (<see cref="TokensLeft"/>), so the rest may have one token too many. If this property is true, the text of the rest is dropped. Default
    /// false.
    /// </summary>
    public bool HasAllTokens { get; set; }

    /// <summary>Gets whether the endpoint gives the answer from the start instead of continuing it. Do not deliver any of its text then.</summary>
    public bool HasStartedOver { get; private set; }

    /// <summary>Appends a piece of the rest.</summary>
    /// <param name="piece">The piece as it arrived.</param>
    /// <returns>The text for the caller. Empty while it is not yet known whether the piece repeats text that the caller has.</returns>
    public string Append(string piece)
    {
        ArgumentNullException.ThrowIfNull(piece);
        if (HasAllTokens)
            return "";
        if (_isOpen || piece.Length == 0)
            return piece;
        // A repeated beginning may be long and arrive in very many pieces, so only its length is kept, and each piece is compared once.
        if (_repeatsBeginning && _held.Length == 0 && _matched + piece.Length < Beginning.Length && Beginning.AsSpan(_matched).StartsWith(piece))
        {
            _matched += piece.Length;
            return "";
        }
        HoldMatched(piece);
        return Join(isAtEnd: false);
    }

    /// <summary>Ends the rest.</summary>
    /// <returns>The text that was held back and that the caller gets now.</returns>
    public string Complete()
    {
        if (_isOpen || HasAllTokens)
            return "";
        HoldMatched("");
        return Join(isAtEnd: true);
    }

    /// <summary>
    /// Computes how many tokens to request for the rest: the number that the request allows minus the number of delivered tokens, at least 1. If no token is
    /// left, set <see cref="HasAllTokens"/>.
    /// </summary>
    /// <param name="most">The number that the request allows. Null, 0 or negative: no limit (llama.cpp has -1).</param>
    /// <param name="delivered">The number of delivered tokens.</param>
    /// <returns>The number; null if there is no limit.</returns>
    public static long? TokensLeft(long? most, long delivered) => most is > 0 and var bound ? Math.Max(1, bound - delivered) : null;

    /// <summary>
    /// Estimates the number of tokens in a text. Most servers send one token in each item, so the estimate is the number of items. If the items are too long to
    /// be single tokens, the estimate is one token for four characters. One long item alone (an identifier, an address) does not change the estimate. An
    /// estimate is needed because servers report tokens only at the end, which a cut answer does not have.
    /// </summary>
    /// <param name="characters">The number of characters.</param>
    /// <param name="pieces">The number of items in which the text arrived.</param>
    public static long EstimateTokens(long characters, long pieces) => characters > LongestToken * (pieces + 1) ? (characters + 3) / 4 : pieces;

    /// <summary>Finds text that prevents a continuation: reasoning or a tool call that a server without a parser streams as text.</summary>
    /// <param name="delivered">All delivered text.</param>
    /// <returns>The reason. Null if nothing prevents a continuation.</returns>
    public static NotContinuedReason? FindObstacle(string delivered)
    {
        ArgumentNullException.ThrowIfNull(delivered);
        var text = delivered.AsSpan().TrimStart();
        foreach (var mark in s_reasoning)
        {
            // The cut may be inside the mark.
            if (text.StartsWith(mark) || text.Length > 0 && mark.AsSpan().StartsWith(text))
                return NotContinuedReason.Reasoning;
        }
        return text.ContainsAny(s_toolCalls) ? NotContinuedReason.ToolCall : null;
    }

    /// <summary>
    /// Adds up the usage of all parts of an answer. Text before a seam counts twice: as output of the part that was cut, and as input of the part that
    /// continued it.
    /// </summary>
    /// <param name="prompt">The tokens of the prompt as the first part reported them. Null if it did not.</param>
    /// <param name="delivered">The total number of delivered tokens at each seam, in order; at least one.</param>
    /// <param name="restInput">Input tokens of the last part.</param>
    /// <param name="restOutput">Output tokens of the last part.</param>
    /// <exception cref="ArgumentException">There is no seam.</exception>
    public static (long Input, long Output) AddUsage(long? prompt, IReadOnlyList<long> delivered, long restInput, long restOutput)
    {
        ArgumentNullException.ThrowIfNull(delivered);
        if (delivered.Count == 0)
            throw new ArgumentException("An answer without a seam has nothing to add up.", nameof(delivered));
        var before = delivered[^1];
        var first = prompt ?? Math.Max(0, restInput - before);
        var input = restInput;
        for (var i = 0; i < delivered.Count; i++)
            input += first + (i == 0 ? 0 : delivered[i - 1]);
        return (input, before + restOutput);
    }

    private void HoldMatched(string piece)
    {
        _held = string.Concat(Beginning.AsSpan(0, _matched), _held, piece);
        _matched = 0;
    }

    private string Join(bool isAtEnd)
    {
        var same = CommonLength(_held, Beginning);
        var hasBeginning = _repeatsBeginning && same == Beginning.Length;
        if (!hasBeginning)
        {
            var mayBeBeginning = !isAtEnd && same == _held.Length && (_repeatsBeginning || _startCompared > 0);
            HasStartedOver = _startCompared > 0 && same >= _startCompared && !(_repeatsBeginning && mayBeBeginning);
            if (HasStartedOver || mayBeBeginning || !isAtEnd && _repeatsTail && MayRepeatMore())
                return "";
        }
        return DropWhiteSpace(_held.AsSpan(RepeatedLength(hasBeginning)), isAtEnd);
    }

    // The rest may or may not repeat the white space at the end of the delivered part.
    private string DropWhiteSpace(ReadOnlySpan<char> rest, bool isAtEnd)
    {
        var again = CommonLength(rest, _trailingSpace);
        if (!isAtEnd && again == rest.Length && again < _trailingSpace.Length)
            return "";
        _isOpen = rest.Length > again || isAtEnd;
        return rest[again..].ToString();
    }

    // Checks whether the text that has arrived could be the start of a longer repetition.
    private bool MayRepeatMore()
    {
        for (var length = Math.Min(Beginning.Length, LongestOverlap); length > _held.Length; length--)
        {
            if (Beginning.AsSpan(Beginning.Length - length).StartsWith(_held))
                return true;
        }
        return false;
    }

    private int RepeatedLength(bool hasBeginning)
    {
        if (hasBeginning)
            return Beginning.Length;
        if (!_repeatsTail)
            return 0;
        for (var length = Math.Min(Math.Min(Beginning.Length, LongestOverlap), _held.Length); length >= ShortestOverlap; length--)
        {
            if (Beginning.AsSpan(Beginning.Length - length).SequenceEqual(_held.AsSpan(0, length)))
                return length;
        }
        return 0;
    }

    private static int CommonLength(ReadOnlySpan<char> one, ReadOnlySpan<char> other) => one.CommonPrefixLength(other);

    // A beginning that repeats itself (a refrain, the rows of a table) may also appear in a correct rest. In that case, the same text does not show that the
    // answer started again, so it is not compared.
    private static int ComparedOf(string beginning)
    {
        var length = Math.Min(beginning.Length, StartCompared);
        if (length < ShortestOverlap)
            return 0;
        var head = beginning.AsSpan(0, ShortestOverlap);
        return beginning.AsSpan(1).IndexOf(head[..(ShortestOverlap / 2)]) >= 0 ? 0 : length;
    }
}
