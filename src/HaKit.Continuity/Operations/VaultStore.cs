using System.Collections.Concurrent;
using HaKit.Continuity.Format;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Uses the destinations as an endpoint pool. Each operation on a named destination is a call of the pool that only this endpoint may serve. So the pool
/// provides retries, health, metrics and alerts.
/// </summary>
internal sealed class VaultStore(EndpointPool pool, VaultOptions options)
{
    public IReadOnlyList<string> Destinations { get; } = [.. pool.Endpoints.Select(e => e.Name)];

    /// <summary>Gets the sweep markers of processes that have ended before they removed them, with the destination.</summary>
    public ConcurrentDictionary<(string Destination, ObjectName Marker), bool> EndedSweeps { get; } = new();

    public ValueTask<bool> PutAsync(string destination, ObjectName name, ReadOnlyMemory<byte> content, CancellationToken token) =>
        pool.ExecuteAsync(ProfileOf([destination]), (name: name.ToString(), content), static (attempt, s, t) => DestinationOf(attempt).PutIfAbsentAsync(s.name, s.content, t), token);

    public ValueTask<IReadOnlyList<string>> ListAsync(string destination, string prefix, CancellationToken token) =>
        pool.ExecuteAsync(ProfileOf([destination]), prefix, static (attempt, p, t) => DestinationOf(attempt).ListAsync(p, t), token);

    public ValueTask DeleteAsync(string destination, ObjectName name, CancellationToken token) => DeleteAsync(destination, name, options.OperationTimeout, token);

    /// <summary>Deletes an object. Fails with an exception if the object has not been deleted within the given time.</summary>
    public async ValueTask DeleteAsync(string destination, ObjectName name, TimeSpan deadline, CancellationToken token) =>
        await pool.ExecuteAsync(
            ProfileOf([destination]) with { Deadline = deadline }, name.ToString(),
            static async (attempt, n, t) =>
            {
                await DestinationOf(attempt).DeleteAsync(n, t);
                return true;
            },
            token);

    /// <summary>Reads an object from the destination that the pool prefers, and returns the name of that destination.</summary>
    public ValueTask<(string Destination, byte[]? Content)> GetAsync(IReadOnlyList<string> destinations, ObjectName name, CancellationToken token) =>
        GetAsync(destinations, name, new ReadAttempts(), token);

    /// <summary>Reads an object from the destination that the pool prefers, and records each destination that the pool tries.</summary>
    public ValueTask<(string Destination, byte[]? Content)> GetAsync(IReadOnlyList<string> destinations, ObjectName name, ReadAttempts attempts, CancellationToken token) =>
        pool.ExecuteAsync(
            ProfileOf(destinations), (name: name.ToString(), attempts),
            static async (attempt, s, t) => (attempt.Endpoint.Name, await s.attempts.RunAsync(attempt.Endpoint.Name, DestinationOf(attempt), s.name, t)),
            token);

    private RequestProfile ProfileOf(IReadOnlyList<string> destinations) => new() { Endpoints = destinations, Deadline = options.OperationTimeout };

    private static IVaultDestination DestinationOf(EndpointAttempt attempt) => (IVaultDestination)attempt.Endpoint.Client!;
}

/// <summary>Classifies exceptions of destinations. If a folder is not writable, retries until the deadline do not help.</summary>
internal sealed class DestinationFaults : IFaultClassifier
{
    // The values of HResult for ENOSPC and EROFS on Unix, and for ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.
    private static readonly int[] s_full = [28, 30, unchecked((int)0x80070070), unchecked((int)0x80070027)];

    /// <summary>Ends a call at once if waiting does not help.</summary>
    public static FaultAction? ActionFor(Fault fault, RequestProfile profile) => fault.Kind == FaultKind.Forbidden ? FaultAction.Return : null;

    public Fault? Classify(in FaultEvidence evidence) => evidence.Exception switch
    {
        UnauthorizedAccessException => new Fault(FaultKind.Forbidden) { Reach = FaultReach.Endpoint },
        IOException e when s_full.Contains(e.HResult) => new Fault(FaultKind.Forbidden) { Reach = FaultReach.Endpoint },
        IOException => new Fault(FaultKind.ServerError),
        _ => null,
    };
}
