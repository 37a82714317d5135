namespace HaKit.Attempts;

/// <summary>Holds the current snapshot of the pool. Code that makes several decisions reads it once, so that all of them use the same snapshot.</summary>
internal sealed class CurrentSnapshot
{
    private volatile PoolSnapshot _value = new([], firstTier: 0);

    public PoolSnapshot Value
    {
        get => _value;
        set => _value = value;
    }
}
