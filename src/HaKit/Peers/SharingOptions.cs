namespace HaKit.Peers;

/// <summary>
/// What a pool shares with the other replicas of the application. It has no effect without a link, such as <c>ShareThroughRedis</c>. Not to be changed once handed to a pool.
/// </summary>
public sealed class SharingOptions
{
    /// <summary>
    /// The application and its environment, for example <c>shop/production</c>: only pools of the same name share. Default: the host's application and
    /// environment names, where a host is at hand.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>What this replica is called on dashboards; a random part is added. Default: the machine's name.</summary>
    public string? Replica { get; set; }

    /// <summary>The fleet's key, with which orders are signed; at least 16 characters. Default none: orders are not shared.</summary>
    public string? OrderKey { get; set; }

    /// <summary>Are cooldowns that a server named shared? Default true.</summary>
    public bool Cooldowns { get; set; } = true;

    /// <summary>Are ejections and successes shared, so that a majority may take an endpoint out? Default true.</summary>
    public bool Opinions { get; set; } = true;

    /// <summary>Does another replica's failed trial put off the trial of our own a little? Default true.</summary>
    public bool Trials { get; set; } = true;

    /// <summary>Does another replica's successful trial allow ours at once? Default true.</summary>
    public bool Recoveries { get; set; } = true;

    /// <summary>Are orders shared, if there is an <see cref="OrderKey"/>? Default true.</summary>
    public bool Orders { get; set; } = true;

    /// <summary>Are probes that cost money asked by one replica for all? Default true.</summary>
    public bool Probes { get; set; } = true;

    /// <summary>
    /// Are the limits on requests and tokens those of all replicas together? Each replica then counts what the others took in the last 60 s, with a margin of
    /// 5 %; without the store it takes the limit ÷ the replicas last seen. Default false: each replica has the whole limit for itself.
    /// </summary>
    public bool Usage { get; set; }

    /// <summary>How long the start of the application waits for what the other replicas know. Default 200 ms; zero for not at all, at most 10 s.</summary>
    public TimeSpan WarmStart { get; set; } = TimeSpan.FromMilliseconds(200);

    private static readonly System.Buffers.SearchValues<char> Unfit = System.Buffers.SearchValues.Create("{} \r\n*?[]");

    internal SharingOptions Copy() => (SharingOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (OrderKey is { Length: < 16 })
            yield return $"{path}:OrderKey has fewer than 16 characters.";
        if (Name is not null && (string.IsNullOrWhiteSpace(Name) || Name.Length > 200 || Name.AsSpan().IndexOfAny(Unfit) >= 0))
            yield return $"{path}:Name is '{Name}': 1 to 200 characters without spaces, braces, brackets, * and ? are needed.";
        if (Replica is { Length: > 100 })
            yield return $"{path}:Replica has more than 100 characters.";
        if (WarmStart < TimeSpan.Zero || WarmStart > TimeSpan.FromSeconds(10))
            yield return $"{path}:WarmStart is {WarmStart}: 0 to 10 s is needed.";
    }
}
