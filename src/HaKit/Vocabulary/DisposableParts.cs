using System.Runtime.ExceptionServices;

namespace HaKit;

/// <summary>
/// Holds the parts of a pool that have a timer, a link, connections, gauges or a file, in the order of their creation. The parts are disposed in the reverse
/// order, because a part may use the parts that were created before it. Not thread-safe.
/// </summary>
internal sealed class DisposableParts : IDisposable
{
    private readonly List<IDisposable> _parts = [];

    /// <summary>Adds a part, if there is one, and returns it.</summary>
    public T Add<T>(T part)
        where T : IDisposable?
    {
        if (part is not null)
            _parts.Add(part);
        return part;
    }

    /// <summary>Adds parts, in the order of their creation.</summary>
    public void AddAll(params ReadOnlySpan<IDisposable?> parts)
    {
        foreach (var part in parts)
            Add(part);
    }

    /// <summary>Disposes all parts. If parts throw, the other parts are disposed all the same, and the first exception is thrown.</summary>
    public void Dispose()
    {
        if (TryDispose() is { } first)
            ExceptionDispatchInfo.Throw(first);
    }

    /// <summary>Disposes all parts, and returns the first exception of a part. Null: no part has thrown.</summary>
    public Exception? TryDispose()
    {
        Exception? first = null;
        for (var i = _parts.Count - 1; i >= 0; i--)
        {
            try
            {
                _parts[i].Dispose();
            }
#pragma warning disable CA1031 // A part of the application, such as its link, must not keep the other parts from being disposed.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                first ??= failure;
            }
        }
        return first;
    }
}
