using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>
/// Holds the cancellation token of one attempt and the reason of its cancellation. Later attempts reuse it as long as it was never cancelled. Any thread may
/// cancel.
/// </summary>
#pragma warning disable CA1001 // A token source without a timer of its own holds nothing that needs disposing.
internal sealed class AttemptCancellation
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _source = new();

    public CancellationToken Token => _source.Token;

    /// <summary>Gets the fault for which the pool cancelled the attempt. Null if the pool did not cancel it.</summary>
    public Fault? Reason { get; private set; }

    /// <summary>Cancels the token. Callbacks that are registered on the token run inside this call.</summary>
    public void Cancel(Fault why)
    {
        Reason ??= why;
        try
        {
            _source.Cancel();
        }
#pragma warning disable CA1031 // An exception of another registration on the token must not prevent the cancellation of the attempt.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>Makes the token ready for another attempt. False after a cancellation.</summary>
    public bool TryReset()
    {
        if (!_source.TryReset())
            return false;
        Reason = null;
        return true;
    }
}
