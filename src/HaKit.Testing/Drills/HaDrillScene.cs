namespace HaKit.Testing;

/// <summary>An endpoint of the application's pool as it is registered.</summary>
internal sealed record DrillMember(string Name, int Tier, bool HasClient);

/// <summary>One fault of the pool's endpoints, and the endpoints that are expected to serve during it.</summary>
/// <param name="Name">The name of the fault.</param>
/// <param name="Length">The duration of the fault.</param>
/// <param name="StepsOn">Returns the steps of the fault and their endpoints. Its argument is the list of endpoints, the busiest first.</param>
/// <param name="ServedBy">The endpoints that are expected to serve alone during the fault; null when that is not checked.</param>
internal sealed record HaDrillScene(string Name, TimeSpan Length, Func<IReadOnlyList<string>, IEnumerable<(string Endpoint, DrillStep Step)>> StepsOn, IReadOnlyList<string>? ServedBy)
{
    /// <summary>Gets whether the scene has no fault.</summary>
    public bool IsHealthy => Length == TimeSpan.Zero;

    /// <summary>Creates the scene without a fault. When the options name an expected order, the first tier must serve alone.</summary>
    public static HaDrillScene Healthy(IReadOnlyList<DrillMember> members, HaDrillOptions options)
    {
        var expected = options.Tiers?.SelectMany(static t => t).Where(name => members.All(m => m.Name != name)).Take(1).ToArray() is { Length: > 0 } missing ? missing : options.Tiers?[0];
        return new("none", TimeSpan.Zero, static _ => [], expected);
    }

    /// <summary>Creates the scenes for every fault of the options, then for the loss of each tier except the last.</summary>
    public static IEnumerable<HaDrillScene> All(IReadOnlyList<DrillMember> members, HaDrillOptions options) =>
        options.Faults.Where(f => IsPossible(f, members)).Select(fault => FromFault(fault, options)).Concat(Losses(options));

    private static HaDrillScene FromFault(DrillFault fault, HaDrillOptions options)
    {
        var steps = fault.Steps(options.FaultDuration);
        return new(
            fault.Name, steps.Max(static s => s.Until),
            endpoints => steps.SelectMany(step => step.Upstream is { } upstream ? [(endpoints[upstream % endpoints.Count], step)] : endpoints.Select(name => (name, step))),
            ServedBy: null);
    }

    private static IEnumerable<HaDrillScene> Losses(HaDrillOptions options)
    {
        var tiers = options.Tiers ?? [];
        for (var lost = 1; lost < tiers.Count; lost++)
        {
            yield return new(
                lost == 1 ? "first-tier-lost" : $"{lost}-tiers-lost",
                options.FaultDuration,
                LossOf([.. tiers.Take(lost).SelectMany(static t => t)], options),
                tiers[lost]);
        }
    }

    private static Func<IReadOnlyList<string>, IEnumerable<(string, DrillStep)>> LossOf(IReadOnlyList<string> lost, HaDrillOptions options) =>
        _ => lost.Select(name => (name, new DrillStep(FakeFault.Refused, TimeSpan.Zero, options.FaultDuration)));

    // A fault with an invalid body is not possible for a client object. A client object answers or throws; invalid bodies occur only between the SDK and the
    // network.
    private static bool IsPossible(DrillFault fault, IReadOnlyList<DrillMember> members) =>
        !members.Any(static m => m.HasClient) || !fault.Name.StartsWith(DrillFaults.Garbled.Name, StringComparison.Ordinal);
}
