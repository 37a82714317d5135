using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>The token of one attempt, and why it was cancelled. Used again by later attempts for as long as it was never cancelled. Any thread may cancel.</summary>
#pragma warning disable CA1001 // A token source without a timer of its own holds nothing that needs disposing.
internal sealed class AttemptCancellation
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _source = new();

    public CancellationToken Token => _source.Token;

    /// <summary>Why the pool cancelled the attempt; null when it did not.</summary>
    public Fault? Reason { get; private set; }

    /// <summary>Cancels the token. What was registered on the token runs here.</summary>
    public void Cancel(Fault why)
    {
        Reason ??= why;
        try
        {
            _source.Cancel();
        }
#pragma warning disable CA1031 // What others registered on the token and cannot do right must not keep the attempt from being left.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>Is the token as good as new? Not after a cancellation.</summary>
    public bool TryReset()
    {
        if (!_source.TryReset())
            return false;
        Reason = null;
        return true;
    }
}
