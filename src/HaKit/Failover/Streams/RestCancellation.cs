namespace HaKit.Failover;

/// <summary>
/// Cancels the request for the rest of a cut answer, and the rest itself: when the caller's token is cancelled, when a read of the answer is cancelled, or when
/// the answer is disposed. Any thread may cancel. It has no timer and no link to another token source, so it need not be disposed.
/// </summary>
#pragma warning disable CA1001 // A token source without a timer of its own holds nothing that needs disposing.
internal sealed class RestCancellation
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _caller;

    public RestCancellation(CancellationToken callerToken) => _caller = Register(callerToken);

    public CancellationToken Token => _source.Token;

    /// <summary>Lets a token cancel the rest too.</summary>
    public CancellationTokenRegistration Register(CancellationToken token) => token.UnsafeRegister(static rest => ((RestCancellation)rest!).Cancel(), this);

    /// <summary>Cancels the token. Callbacks that are registered on the token run inside this call.</summary>
    public void Cancel()
    {
        Close();
        try
        {
            _source.Cancel();
        }
#pragma warning disable CA1031 // An exception of a registration of the application must not prevent the end of the answer.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>Ends the link to the caller's token, because the rest is over. The link would keep this object in memory for as long as the caller's token lives.</summary>
    public void Close() => _caller.Unregister();
}
