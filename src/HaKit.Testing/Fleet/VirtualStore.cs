using System.Text;
using HaKit.Peers;

namespace HaKit.Testing;

/// <summary>
/// A simulated store and network between the replicas of a fleet, in virtual time. It keeps the maximum of each fact, as Redis does, and a test can make it
/// fail.
/// For use on one thread.
/// </summary>
public sealed class VirtualStore
{
    private readonly ManualTimeProvider _time;
    private readonly Random _random;
    private readonly List<VirtualLink> _links = [];
    private readonly Dictionary<string, (int Leader, TimeSpan Until)> _leaders = new(StringComparer.Ordinal);
    private Dictionary<(string Scope, string Identity), TimeSpan> _facts = [];
    private Dictionary<(string Scope, string Identity), TimeSpan>? _copy;
    private TimeSpan _clockOff;
    private long _life = 1;

    /// <summary>Creates a store without faults.</summary>
    /// <param name="time">The clock of the test.</param>
    /// <param name="seed">The seed of delays, losses and duplicates. Default 1.</param>
    public VirtualStore(ManualTimeProvider time, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_time, _random) = (time, new Random(seed));
    }

    /// <summary>Gets or sets the time that a message takes from a replica to the store, and from the store to a replica. Default 1 ms; 0 to a day.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public TimeSpan Delay
    {
        get;
        set
        {
            ArgumentRange.Check(value, TimeSpan.Zero, SettingRange.LongestOfTimer, nameof(Delay));
            field = value;
        }
    } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// Gets or sets the largest random addition to <see cref="Delay"/>, evenly distributed. With it, messages can overtake each other. Default none; 0 to a day.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public TimeSpan Jitter
    {
        get;
        set
        {
            ArgumentRange.Check(value, TimeSpan.Zero, SettingRange.LongestOfTimer, nameof(Jitter));
            field = value;
        }
    }

    /// <summary>Gets or sets the share of published messages that a replica does not receive, 0 to 1. The store still keeps them. Default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public double Loss
    {
        get;
        set
        {
            ArgumentRange.Check(value, 0, 1, nameof(Loss));
            field = value;
        }
    }

    /// <summary>Gets or sets the share of messages that arrive twice, 0 to 1. Default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public double Duplication
    {
        get;
        set
        {
            ArgumentRange.Check(value, 0, 1, nameof(Duplication));
            field = value;
        }
    }

    /// <summary>Gets whether the store gives no answers but keeps its connections open (as after SIGSTOP).</summary>
    public bool IsFrozen { get; private set; }

    /// <summary>Gets whether the store is stopped (as after kill -9).</summary>
    public bool IsDown { get; private set; }

    /// <summary>Gets or sets whether the store refuses writes. Default false.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>Gets the number of messages that replicas published.</summary>
    public long Messages { get; private set; }

    /// <summary>Gets the number of times that replicas read all facts.</summary>
    public long Reads { get; private set; }

    /// <summary>
    /// Gets or sets a buffer that collects all written and sent data as text, for tests that search for secrets. Default null: no data is collected.
    /// </summary>
    public StringBuilder? Wire { get; set; }

    /// <summary>Gets the number of facts that have not expired.</summary>
    public int Facts => _facts.Count(f => f.Value > Now);

    internal TimeSpan Now => _time.Elapsed + _clockOff;

    internal long Life => _life;

    internal ManualTimeProvider Time => _time;

    internal Random Random => _random;

    /// <summary>Creates the link of one replica, for <see cref="EndpointPoolParts.PeerLink"/>.</summary>
    /// <param name="scope">The scope of the facts that the link carries.</param>
    public IPeerLink Connect(PeerScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var link = new VirtualLink(this, scope, _links.Count);
        _links.Add(link);
        return link;
    }

    /// <summary>Makes the store stop answering.</summary>
    public void Freeze() => IsFrozen = true;

    /// <summary>Makes the store answer again after <see cref="Freeze"/>.</summary>
    public void Thaw() => IsFrozen = false;

    /// <summary>Stops the store and deletes its data.</summary>
    public void Kill()
    {
        IsDown = true;
        Wipe();
        foreach (var link in _links)
            link.Disconnect();
    }

    /// <summary>Starts the store again, without data.</summary>
    public void Restart() => IsDown = false;

    /// <summary>Deletes all facts without closing a connection.</summary>
    public void Wipe()
    {
        _facts = [];
        _leaders.Clear();
        _life++;
    }

    /// <summary>Copies the store's data for <see cref="FailOver"/>.</summary>
    public void Copy() => _copy = new(_facts);

    /// <summary>Replaces the store with another node that has the data of the latest <see cref="Copy"/> and another clock.</summary>
    /// <param name="clockOff">The clock of the new node minus the clock of the old node; at most ten years. Default: none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The difference is out of the range.</exception>
    public void FailOver(TimeSpan clockOff = default)
    {
        ArgumentRange.Check(clockOff, -SettingRange.Longest, SettingRange.Longest);
        _facts = new(_copy ?? []);
        _clockOff = clockOff;
        _life++;
        foreach (var link in _links)
            link.Disconnect();
    }

    /// <summary>Moves the store's clock.</summary>
    /// <param name="by">The length of the jump, at most ten years. Negative moves the clock backwards.</param>
    /// <exception cref="ArgumentOutOfRangeException">The jump is out of the range.</exception>
    public void JumpClock(TimeSpan by)
    {
        ArgumentRange.Check(by, -SettingRange.Longest, SettingRange.Longest);
        _clockOff += by;
    }

    /// <summary>Cuts the connection between the store and some replicas.</summary>
    /// <param name="reaches">Returns whether a replica reaches the store. The argument is the replica's index, from 0, in the order of connecting.</param>
    public void Partition(Func<int, bool> reaches)
    {
        ArgumentNullException.ThrowIfNull(reaches);
        foreach (var link in _links)
            link.IsCutOff = !reaches(link.Place);
    }

    /// <summary>Sends a message in the name of a replica, for tests of false facts.</summary>
    /// <param name="name">The application and environment.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="facts">The facts to send.</param>
    public void Inject(string? name, string pool, params IReadOnlyList<PeerFact> facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ReceiveFacts($"{name}/{pool}", -1, [.. facts.Select(f => (PeerFactFormat.Identity(f), Now + f.Left))]);
    }

    internal void ReceiveFacts(string scope, int from, IReadOnlyList<(string Identity, TimeSpan Until)> facts)
    {
        Messages++;
        if (!IsReadOnly)
        {
            foreach (var (identity, until) in facts)
            {
                if (!_facts.TryGetValue((scope, identity), out var known) || known < until)
                    _facts[(scope, identity)] = until;
            }
        }

        foreach (var (identity, _) in facts)
            Wire?.Append(scope).Append(' ').AppendLine(identity);
        foreach (var link in _links)
        {
            if (link.Scope == scope && link.Place != from && !link.IsCutOff && _random.NextDouble() >= Loss)
            {
                for (var copies = _random.NextDouble() < Duplication ? 2 : 1; copies > 0; copies--)
                    After(Travel(), () => link.Receive(facts));
            }
        }
    }

    internal void Remove(string scope, IEnumerable<string> identities)
    {
        if (!IsReadOnly)
        {
            foreach (var identity in identities)
                _facts.Remove((scope, identity));
        }
    }

    internal IReadOnlyList<(string Identity, TimeSpan Until)> ReadAll(string scope)
    {
        Reads++;
        foreach (var (key, until) in _facts.ToArray())
        {
            if (until <= Now)
                _facts.Remove(key);
        }

        return [.. _facts.Where(f => f.Key.Scope == scope).Select(f => (f.Key.Identity, f.Value))];
    }

    internal TimeSpan Lead(string role, int place)
    {
        if (IsReadOnly)
            throw new InvalidOperationException("The store refuses writes.");
        var lease = TimeSpan.FromSeconds(15);
        if (_leaders.TryGetValue(role, out var leader) && leader.Leader != place && leader.Until > _time.Elapsed)
            return TimeSpan.Zero;
        _leaders[role] = (place, _time.Elapsed + lease);
        return lease;
    }

    internal TimeSpan Travel() => Delay + Jitter * _random.NextDouble();

    internal void After(TimeSpan delay, Action then)
    {
        ITimer? timer = null;
        timer = _time.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                then();
            },
            null, delay > TimeSpan.Zero ? delay : TimeSpan.FromTicks(1), Timeout.InfiniteTimeSpan);
    }
}
