using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>Whatever stands between the drill's load and its upstreams.</summary>
internal interface IDrillTarget : IAsyncDisposable
{
    /// <summary>Makes one call.</summary>
    /// <exception cref="Exception">The call failed and said so: any exception counts as a failed call.</exception>
    Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken);
}

/// <summary>Makes the target of a drill from the addresses of its upstreams.</summary>
/// <param name="Name">What stands between, for the report.</param>
/// <param name="CreateAsync">Makes it.</param>
/// <param name="IsFresh">Whether it is made anew for each fault, so that none hides the next one; otherwise the drill waits between faults until it is well.</param>
internal sealed record DrillContender(string Name, Func<IReadOnlyList<Uri>, Task<IDrillTarget>> CreateAsync, bool IsFresh);
