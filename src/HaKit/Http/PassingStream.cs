using System.Runtime.CompilerServices;
using HaKit.Endpoints;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// An answer that is passed on as it comes, behind what was read of it already. Until it has ended or is disposed of, it counts as load; without a lease
/// it is just those bytes.
/// </summary>
internal sealed class PassingStream(ReadOnlyMemory<byte> read, Stream rest, IDisposable owner, FailoverEngine engine, Lease? lease) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _read = read;

    /// <summary>Gives the place on the endpoint back when the response was dropped without being disposed.</summary>
    ~PassingStream()
    {
        if (lease?.Complete(KnownFaults.CallerCancelled, engine.Clock.Now) == true)
            engine.PlaceFreedLater();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_read.IsEmpty)
            return ReadRestAsync(buffer, cancellationToken);
        var count = Math.Min(buffer.Length, _read.Length);
        _read.Span[..count].CopyTo(buffer.Span);
        _read = _read[count..];
        return new(count);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Complete(KnownFaults.CallerCancelled);
            rest.Dispose();
            owner.Dispose();
        }
        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadRestAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await rest.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0 && !buffer.IsEmpty)
                Complete(null);
            return count;
        }
        catch (Exception exception)
        {
            if (lease is not null)
                Complete(cancellationToken.IsCancellationRequested ? KnownFaults.CallerCancelled
                    : engine.Classify(exception, lease.State.Endpoint) with { Applied = FaultApplied.Partial });
            throw;
        }
    }

    private void Complete(Fault? fault)
    {
        if (lease?.Complete(fault, engine.Clock.Now) == true)
            engine.PlaceFreed();
    }
}
