using System.ComponentModel.DataAnnotations;

namespace HaKit.Continuity;

/// <summary>The settings of a vault. Not thread-safe; read once when the vault is made.</summary>
public sealed class VaultOptions
{
    /// <summary>Where objects go; at least one. Folders and Azure Blob containers can be configured; others are added in code.</summary>
    public IList<VaultDestinationOptions> Destinations { get; set; } = [];

    /// <summary>
    /// The vault's secrets by number, each 32 random bytes in Base64 (for example from <c>openssl rand -base64 32</c>). Keep a copy away from the
    /// machine: without its key a vault's data is lost. Never printed.
    /// </summary>
    public IDictionary<string, string> Keys { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The number of the key that seals what is written. Default null: the highest.</summary>
    public uint? ActiveKey { get; set; }

    /// <summary>A file on this machine that remembers the latest snapshot, so that a destination that was rolled back is found even when it is the only one, and a share that is not mounted is not taken for a new vault. Default null: none.</summary>
    public string? StateFile { get; set; }

    /// <summary>How long one object may take on one destination, retries included. Default 30 s; more than 0.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long chunks that no snapshot uses are kept before they are deleted. Default 24 h; at least 0.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long the deletion of a snapshot is remembered, so that a rolled-back destination brings nothing back. Default 400 days; more than 0.</summary>
    public TimeSpan TombstoneLife { get; set; } = TimeSpan.FromDays(400);

    /// <summary>What is saved by the schedule: a file or a folder. Default null: nothing is saved by itself.</summary>
    public string? Source { get; set; }

    /// <summary>How often the schedule saves, ± 10 %. Default null: never; more than 0.</summary>
    public TimeSpan? Every { get; set; }

    /// <summary>
    /// How long it takes in the mean until what is saved is lost: a disk, a machine. The schedule then chooses the interval that costs least in work lost and time spent
    /// saving, from how long a save takes and how available the destinations are (Young, CACM 17, 1974), within <see cref="MaxAge"/> and from 1 min to 24 h.
    /// Default null: <see cref="Every"/> says; more than 0.
    /// </summary>
    public TimeSpan? MeanTimeToLoss { get; set; }

    /// <summary>How many destinations must have a snapshot before a scheduled save counts. Default 1; at least 1.</summary>
    [Range(1, int.MaxValue)]
    public int Copies { get; set; } = 1;

    /// <summary>How many snapshots the schedule keeps. Default null: all; at least 1.</summary>
    public int? KeepLast { get; set; }

    /// <summary>For how many days the schedule keeps snapshots; a snapshot is kept if either rule says so. Default null: no such rule; more than 0.</summary>
    public double? KeepDays { get; set; }

    /// <summary>Of what age the last good snapshot may be before the health check says unhealthy. Default null: three times the interval; more than 0.</summary>
    public TimeSpan? MaxAge { get; set; }
}

/// <summary>One configured destination: a folder or a container. Not thread-safe.</summary>
public sealed class VaultDestinationOptions
{
    /// <summary>Unique, non-empty name, for messages and metrics.</summary>
    public string Name { get; set; } = "";

    /// <summary>A folder, local or mounted.</summary>
    public string? Folder { get; set; }

    /// <summary>The SAS address of an Azure Blob container. A credential: never printed.</summary>
    public string? BlobSas { get; set; }

    private IVaultDestination? _own;

    /// <summary>Gives it a destination that is made in code, in the place of a folder or a container.</summary>
    /// <param name="destination">The destination; not disposed of.</param>
    /// <returns>These options.</returns>
    public VaultDestinationOptions Use(IVaultDestination destination)
    {
        _own = destination;
        return this;
    }

    internal IVaultDestination? Given() => _own;
}
