using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>The component between the drill's load and its upstreams.</summary>
internal interface IDrillTarget : IAsyncDisposable
{
    /// <summary>Makes one call.</summary>
    /// <exception cref="Exception">The call reported a failure. Every exception counts as a failed call.</exception>
    Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken);
}

/// <summary>Creates the target of a drill from the addresses of its upstreams.</summary>
/// <param name="Name">The name of the component in the report.</param>
/// <param name="CreateAsync">Creates the target.</param>
/// <param name="IsFresh">
/// True if the component is created again for each fault, so that one fault does not hide the next. Otherwise the drill waits after each fault until the
/// component has recovered.
/// </param>
internal sealed record DrillContender(string Name, Func<IReadOnlyList<Uri>, Task<IDrillTarget>> CreateAsync, bool IsFresh);
