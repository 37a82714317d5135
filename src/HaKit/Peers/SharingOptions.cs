namespace HaKit.Peers;

/// <summary>
/// Sets what a pool shares with the other replicas of the application. These settings have no effect without a link, such as <c>ShareThroughRedis</c>. Not
/// thread-safe; read at start-up and at each reload. A reload does not change <see cref="Name"/>, <see cref="Replica"/> and <see cref="OrderKey"/> of a running pool.
/// </summary>
public sealed class SharingOptions
{
    /// <summary>
    /// Gets or sets the application and its environment, for example <c>shop/production</c>: only pools with the same name share. 1 to 200 characters without
    /// spaces, braces, brackets, <c>*</c> and <c>?</c>. Default: none; <c>ShareThroughRedis</c> then uses the host's application and environment names, if there is
    /// a host.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>Gets or sets the name of this replica on dashboards; a random part is added. Default: the machine's name; at most 100 characters.</summary>
    public string? Replica { get; set; }

    /// <summary>Gets or sets the fleet's key, with which orders are signed; at least 16 characters. Default none: orders are not shared.</summary>
    public string? OrderKey { get; set; }

    /// <summary>Gets or sets whether cooldowns that a server named are shared. Default true.</summary>
    public bool Cooldowns { get; set; } = true;

    /// <summary>
    /// Gets or sets whether ejections and successes are shared. If they are, a majority of the replicas may take an endpoint out. Default true.
    /// </summary>
    public bool Opinions { get; set; } = true;

    /// <summary>Gets or sets whether another replica's failed trial delays this replica's trial. Default true.</summary>
    public bool Trials { get; set; } = true;

    /// <summary>Gets or sets whether this replica may begin its own trial at once after another replica's successful trial. Default true.</summary>
    public bool Recoveries { get; set; } = true;

    /// <summary>Gets or sets whether orders are shared, if there is an <see cref="OrderKey"/>. Default true.</summary>
    public bool Orders { get; set; } = true;

    /// <summary>Gets or sets whether one replica sends the probes that cost money for all replicas. Default true.</summary>
    public bool Probes { get; set; } = true;

    /// <summary>
    /// Gets or sets whether the limits on requests and tokens apply to all replicas together. Each replica may then use 95 % of the limit minus the usage of the
    /// other replicas in the last 60 s. If the other replicas have used nothing, it may use the whole limit. While the store is down, each replica uses the limit
    /// divided by the last known number of replicas. Default false: each replica has the whole limit for itself.
    /// </summary>
    public bool Usage { get; set; }

    /// <summary>Gets or sets how long the start of the application waits for the facts of the other replicas. Default 200 ms; 0 (not at all) to 10 s.</summary>
    public TimeSpan WarmStart { get; set; } = TimeSpan.FromMilliseconds(200);

    private static readonly System.Buffers.SearchValues<char> Unfit = System.Buffers.SearchValues.Create("{} \r\n*?[]");

    internal SharingOptions Copy() => (SharingOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path) => [.. CheckKey(path), .. CheckNames(path)];

    private IEnumerable<string> CheckKey(string path)
    {
        if (OrderKey is { Length: < 16 })
            yield return $"{path}:OrderKey has {OrderKey.Length} characters: at least 16 are needed, for example from 'openssl rand -base64 32', and the same in every replica.";
        else if (OrderKey is not null && OrderKey.Distinct().Count() < 4)
            yield return $"{path}:OrderKey repeats a few characters, so it is easy to guess. Give random text, for example from 'openssl rand -base64 32', and the same in every replica.";
        else if (OrderKey is not null && Placeholder.IsSecret(OrderKey))
            yield return $"{path}:OrderKey is a placeholder, such as '<key>' or '${{KEY}}', and not a key. Give the fleet's key itself.";
    }

    private IEnumerable<string> CheckNames(string path)
    {
        if (Name is not null && (string.IsNullOrWhiteSpace(Name) || Name.Length > 200 || Name.AsSpan().IndexOfAny(Unfit) >= 0))
            yield return $"{path}:Name is '{Name}': 1 to 200 characters without spaces, braces, brackets, * and ? are needed.";
        else if (Name is not null && Placeholder.IsName(Name))
            yield return $"{path}:Name is '{Name}', a placeholder. Give the name of the application and its environment, such as 'shop/production', or leave Name out.";
        if (Replica is not null && (string.IsNullOrWhiteSpace(Replica) || Placeholder.IsName(Replica)))
            yield return $"{path}:Replica is '{Replica}', which is {(string.IsNullOrWhiteSpace(Replica) ? "empty" : "a placeholder")}. Give the name of this replica, or leave Replica out: the name of the machine is then used.";
        if (Replica is { Length: > 100 })
            yield return $"{path}:Replica has {Replica.Length} characters: at most 100 are possible.";
        if (WarmStart < TimeSpan.Zero || WarmStart > TimeSpan.FromSeconds(10))
            yield return $"{path}:WarmStart is {DurationText.OfSetting(WarmStart)}: 0 to 10 s is needed.";
    }
}
