namespace HaKit.Pool;

/// <summary>Holds the current options of a pool: a validated copy of the caller's, replaced as a whole. Readers must not change it.</summary>
internal sealed class CurrentOptions(EndpointPoolOptions first)
{
    private volatile EndpointPoolOptions _value = first;

    public EndpointPoolOptions Value
    {
        get => _value;
        set => _value = value;
    }
}
