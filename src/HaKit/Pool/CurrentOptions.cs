namespace HaKit.Pool;

/// <summary>
/// Holds the current options of a pool: a validated copy of the caller's options, which is replaced as a whole. Readers must not change the options.
/// </summary>
internal sealed class CurrentOptions(EndpointPoolOptions first)
{
    private volatile EndpointPoolOptions _value = first;

    public EndpointPoolOptions Value
    {
        get => _value;
        set => _value = value;
    }
}
