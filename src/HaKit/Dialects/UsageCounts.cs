namespace HaKit.Dialects;

/// <summary>Holds the token counts of one answer, as far as they were read.</summary>
internal struct UsageCounts
{
    /// <summary>The tokens of the answer.</summary>
    public long? Output;

    /// <summary>The prompt tokens that came from the provider's cache.</summary>
    public long? Cached;

    private long? _input;
    private bool _inputLeavesOutCache;
    private long _cachedBeside;
    private long _written;

    /// <summary>
    /// Gets the tokens of the whole prompt. Anthropic and Bedrock report cached tokens separately; without adding them, the share of cached tokens could
    /// exceed 100 %.
    /// </summary>
    public readonly long? WholeInput => _inputLeavesOutCache ? Add(Add(_input!.Value, _cachedBeside), _written) : _input;

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

    // A server may report any number, so the sum must not overflow.
    private static long Add(long one, long other) => one > long.MaxValue - other ? long.MaxValue : one + other;
}
