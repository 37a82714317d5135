namespace HaKit.Attempts;

/// <summary>The snapshot that calls choose from at this moment. Readers take it once and keep it; the pool's membership swaps in the next one.</summary>
internal sealed class CurrentSnapshot
{
    private volatile PoolSnapshot _value = new([], firstTier: 0);

    public PoolSnapshot Value
    {
        get => _value;
        set => _value = value;
    }
}
