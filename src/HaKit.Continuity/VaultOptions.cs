using System.ComponentModel.DataAnnotations;

namespace HaKit.Continuity;

/// <summary>Sets where a vault stores its objects, how it encrypts them, and when it saves. Not thread-safe; read once when the vault is created.</summary>
public sealed class VaultOptions
{
    /// <summary>
    /// Gets or sets the destinations of objects; at least one is required. Folders and Azure Blob containers can be configured; other destinations are added in
    /// code.
    /// </summary>
    public IList<VaultDestinationOptions> Destinations { get; set; } = [];

    /// <summary>
    /// Gets or sets the vault's secrets by number, each 32 random bytes in Base64 (for example from <c>openssl rand -base64 32</c>). At least one is required.
    /// Keep a copy away from the machine, because without its key a vault's data is lost. The secrets are never printed.
    /// </summary>
    public IDictionary<string, string> Keys { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets or sets the number of the key that encrypts new objects. Default null: the highest number.</summary>
    public uint? ActiveKey { get; set; }

    /// <summary>
    /// Gets or sets a file on this machine that stores the id of the latest snapshot. With this file, the vault detects a destination that was rolled back to
    /// an earlier state, even if it is the only destination. It also detects that a share is not mounted. Default null: none.
    /// </summary>
    public string? StateFile { get; set; }

    /// <summary>Gets or sets the time limit for one object on one destination, including retries. Default 30 s; more than 0, at most 10 years.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the grace period: how long chunks that no snapshot uses are kept before they are deleted. Default 24 h; 0 to 10 years.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Gets or sets how long the deletion of a snapshot is remembered. So a destination that was rolled back does not bring the snapshot back. The
    /// time is counted up to the newest snapshot, so that one wrong reading of the clock forgets no deletion. Default 400 days; more than 0, at most 10 years.
    /// </summary>
    public TimeSpan TombstoneLife { get; set; } = TimeSpan.FromDays(400);

    /// <summary>Gets or sets the file or folder that the schedule saves. Default null: nothing is saved automatically.</summary>
    public string? Source { get; set; }

    /// <summary>Gets or sets how often the schedule saves, ± 10 %. Default null: never; 1 s to 30 days.</summary>
    public TimeSpan? Every { get; set; }

    /// <summary>
    /// Gets or sets the mean time until the saved data is lost, for example by the failure of a disk or a machine. The schedule then computes the interval from
    /// the duration of a save and the availability of the destinations, so that the sum of lost work and time spent on saving is lowest (Young, CACM 17, 1974).
    /// The interval is from 1 min to 24 h and not longer than <see cref="MaxAge"/>. Default null: <see cref="Every"/> applies; more than 0, at most
    /// 10 years.
    /// </summary>
    public TimeSpan? MeanTimeToLoss { get; set; }

    /// <summary>Gets or sets how many destinations must have a snapshot before a scheduled save counts. Default 1; at least 1.</summary>
    [Range(1, int.MaxValue)]
    public int Copies { get; set; } = 1;

    /// <summary>Gets or sets how many snapshots the schedule keeps. Default null: all; at least 1.</summary>
    public int? KeepLast { get; set; }

    /// <summary>
    /// Gets or sets for how many days the schedule keeps snapshots. A snapshot is kept if this rule or <see cref="KeepLast"/> applies. Default null: no such
    /// rule; above 0, at most 36,500.
    /// </summary>
    public double? KeepDays { get; set; }

    /// <summary>
    /// Gets or sets the maximum age of the last good snapshot before the health check reports unhealthy. Default null: three times the interval; more than 0,
    /// at most 10 years.
    /// </summary>
    public TimeSpan? MaxAge { get; set; }

    /// <summary>Creates a copy that later changes of this object do not affect. Groups that are null stay null.</summary>
    internal VaultOptions Copy()
    {
        var copy = (VaultOptions)MemberwiseClone();
        copy.Destinations = Destinations is null ? null! : [.. Destinations.Select(static d => d?.Copy()!)];
        copy.Keys = Keys is null ? null! : new Dictionary<string, string>(Keys, StringComparer.Ordinal);
        return copy;
    }
}

/// <summary>Describes one destination: set exactly one of <see cref="Folder"/>, <see cref="BlobSas"/> and <see cref="Use"/>. Not thread-safe.</summary>
public sealed class VaultDestinationOptions
{
    /// <summary>Gets or sets the name, for messages and metrics. It must be unique in the vault and not empty.</summary>
    public string Name { get; set; } = "";

    /// <summary>Gets or sets the path of the folder, local or mounted. Default null: the destination is not a folder.</summary>
    public string? Folder { get; set; }

    /// <summary>
    /// Gets or sets the SAS address of an Azure Blob container. The address is a credential and is never printed. Default null: the destination is not a
    /// container.
    /// </summary>
    public string? BlobSas { get; set; }

    private IVaultDestination? _own;

    /// <summary>Sets a destination that is created in code, instead of a folder or a container.</summary>
    /// <param name="destination">The destination. The vault does not dispose it.</param>
    /// <returns>These options.</returns>
    public VaultDestinationOptions Use(IVaultDestination destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        _own = destination;
        return this;
    }

    internal VaultDestinationOptions Copy() => (VaultDestinationOptions)MemberwiseClone();

    internal IVaultDestination? Given() => _own;
}
