namespace HaKit.Pool;

/// <summary>The options that a pool goes by at this moment: a validated copy of the caller's, swapped as a whole. Not to be changed by readers.</summary>
internal sealed class CurrentOptions(EndpointPoolOptions first)
{
    private volatile EndpointPoolOptions _value = first;

    public EndpointPoolOptions Value
    {
        get => _value;
        set => _value = value;
    }
}
