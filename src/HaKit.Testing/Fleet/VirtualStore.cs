using System.Text;
using HaKit.Peers;

namespace HaKit.Testing;

/// <summary>
/// A store and a network between the replicas of a fleet, in virtual time: it keeps the maximum of each fact as Redis does, and goes wrong as a test says.
/// For one thread.
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

    /// <summary>Makes a store that works.</summary>
    /// <param name="time">The clock of the test.</param>
    /// <param name="seed">Seed of delays, losses and the like. Default 1.</param>
    public VirtualStore(ManualTimeProvider time, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_time, _random) = (time, new Random(seed));
    }

    /// <summary>How long a message takes, on its way to the store and from there. Default 1 ms.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>By how much messages may be later than <see cref="Delay"/>, evenly distributed: later ones overtake earlier ones. Default none.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>The share of published messages that a replica does not get, 0 to 1. The store has them. Default none.</summary>
    public double Loss { get; set; }

    /// <summary>The share of messages that come twice, 0 to 1. Default none.</summary>
    public double Duplication { get; set; }

    /// <summary>Does the store answer nothing, without closing a connection (SIGSTOP)?</summary>
    public bool IsFrozen { get; private set; }

    /// <summary>Is the store gone (kill -9)?</summary>
    public bool IsDown { get; private set; }

    /// <summary>Does the store refuse to write?</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>Messages that replicas published.</summary>
    public long Messages { get; private set; }

    /// <summary>Times that replicas read everything.</summary>
    public long Reads { get; private set; }

    /// <summary>Everything that was ever written or sent, as text, for a test that looks for secrets. Null until a test asks to keep it.</summary>
    public StringBuilder? Wire { get; set; }

    /// <summary>How many facts the store has that still hold.</summary>
    public int Facts => _facts.Count(f => f.Value > Now);

    internal TimeSpan Now => _time.Elapsed + _clockOff;

    internal long Life => _life;

    internal ManualTimeProvider Time => _time;

    internal Random Random => _random;

    /// <summary>The link of one replica; for <see cref="EndpointPoolParts.PeerLink"/>.</summary>
    /// <param name="scope">Whose facts it carries.</param>
    public IPeerLink Connect(PeerScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var link = new VirtualLink(this, scope, _links.Count);
        _links.Add(link);
        return link;
    }

    /// <summary>The store answers nothing any more.</summary>
    public void Freeze() => IsFrozen = true;

    /// <summary>The store goes on.</summary>
    public void Thaw() => IsFrozen = false;

    /// <summary>The store is gone, and with it all it had.</summary>
    public void Kill()
    {
        IsDown = true;
        Wipe();
        foreach (var link in _links)
            link.Disconnect();
    }

    /// <summary>The store is back, empty.</summary>
    public void Restart() => IsDown = false;

    /// <summary>The store forgets everything, and no connection notices.</summary>
    public void Wipe()
    {
        _facts = [];
        _leaders.Clear();
        _life++;
    }

    /// <summary>Remembers what the store has, for <see cref="FailOver"/>.</summary>
    public void Copy() => _copy = new(_facts);

    /// <summary>Another node takes over, with the data of the latest <see cref="Copy"/> and a clock of its own.</summary>
    /// <param name="clockOff">How far its clock is off.</param>
    public void FailOver(TimeSpan clockOff = default)
    {
        _facts = new(_copy ?? []);
        _clockOff = clockOff;
        _life++;
        foreach (var link in _links)
            link.Disconnect();
    }

    /// <summary>The store's clock jumps.</summary>
    /// <param name="by">The length of the jump. Negative moves the clock backwards.</param>
    public void JumpClock(TimeSpan by) => _clockOff += by;

    /// <summary>Replicas whose place (from 0, in the order of connecting) is in the set reach the store, the others do not.</summary>
    /// <param name="reaches">Says of each place whether it reaches the store.</param>
    public void Partition(Func<int, bool> reaches)
    {
        ArgumentNullException.ThrowIfNull(reaches);
        foreach (var link in _links)
            link.IsCutOff = !reaches(link.Place);
    }

    /// <summary>Sends a message as if a replica of the given scope had, so that tests can lie.</summary>
    /// <param name="name">The application and environment.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="facts">The facts.</param>
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
