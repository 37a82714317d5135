namespace HaKit.Dialects;

/// <summary>The tokens that one answer reports, as far as they were read.</summary>
internal struct UsageCounts
{
    /// <summary>Tokens of the answer.</summary>
    public long? Output;

    /// <summary>Tokens of the prompt that came from the provider's cache.</summary>
    public long? Cached;

    private long? _input;
    private bool _inputLeavesOutCache;
    private long _cachedBeside;
    private long _written;

    /// <summary>Tokens of the whole prompt. Anthropic and Bedrock tell those of the cache beside the others, and the share of cached ones would be above 100 %.</summary>
    public readonly long? WholeInput => _inputLeavesOutCache ? Add(Add(_input!.Value, _cachedBeside), _written) : _input;

    /// <summary>Takes over what a member tells.</summary>
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
                Output = count;
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
        }
    }

    // What a server tells may be any number.
    private static long Add(long one, long other) => one > long.MaxValue - other ? long.MaxValue : one + other;
}
