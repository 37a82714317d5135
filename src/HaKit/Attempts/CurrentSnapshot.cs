namespace HaKit.Attempts;

/// <summary>Holds the snapshot that calls choose from now. A reader takes it once and keeps it; the pool's membership replaces it.</summary>
internal sealed class CurrentSnapshot
{
    private volatile PoolSnapshot _value = new([], firstTier: 0);

    public PoolSnapshot Value
    {
        get => _value;
        set => _value = value;
    }
}
