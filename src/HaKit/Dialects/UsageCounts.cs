namespace HaKit.Dialects;

/// <summary>Holds the token counts of one answer, as far as they were read.</summary>
internal struct UsageCounts
{
    /// <summary>The prompt tokens that came from the provider's cache.</summary>
    public long? Cached;

    private long? _input;
    private long? _output;
    private long _inputBeside;
    private long? _outputBeside;
    private bool _inputLeavesOutCache;
    private long _cachedBeside;
    private long _written;

    /// <summary>
    /// Gets the tokens of the whole prompt. Anthropic and Bedrock report cached tokens separately; without adding them, the share of cached tokens could
    /// exceed 100 %.
    /// </summary>
    public readonly long? WholeInput
    {
        get
        {
            if (_input is not { } input)
                return null;
            return _inputLeavesOutCache ? Add(Add(input, _cachedBeside), _written) : Add(input, _inputBeside);
        }
    }

    /// <summary>Gets the tokens of the whole answer. Gemini reports thinking separately, although it bills thinking as output.</summary>
    public readonly long? Output => _outputBeside is { } beside ? Add(_output ?? 0, beside) : _output;

    /// <summary>Records the value of a member.</summary>
    public void Set(UsageMember member, long count)
    {
        switch (member)
        {
            case UsageMember.Input:
                (_input, _inputLeavesOutCache) = (count, false);
                break;
            case UsageMember.InputWithoutCache:
                (_input, _inputLeavesOutCache) = (count, true);
                break;
            case UsageMember.Output:
                _output = count;
                break;
            case UsageMember.Cached:
                Cached = count;
                break;
            case UsageMember.CachedBeside:
                Cached = _cachedBeside = count;
                break;
            case UsageMember.Written:
                _written = count;
                break;
            case UsageMember.InputBeside:
                _inputBeside = count;
                break;
            case UsageMember.OutputBeside:
                _outputBeside = count;
                break;
        }
    }

    // A server may report any number, so the sum must not overflow.
    private static long Add(long one, long other) => one > long.MaxValue - other ? long.MaxValue : one + other;
}
