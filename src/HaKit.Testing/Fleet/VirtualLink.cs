using System.Text;
using HaKit.Peers;

namespace HaKit.Testing;

/// <summary>
/// The connection of one replica to a <see cref="VirtualStore"/>. It follows the same rules as the connection to Redis, in virtual time. For use on one
/// thread.
/// </summary>
internal sealed class VirtualLink : IPeerLink
{
    // The intervals of the connection to Redis, with one exception: there SilentAfter is 3 s. This link is checked once a second, so it loses its connection 3 s
    // after the last answer.
    private static readonly TimeSpan LooksEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RereadsWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RereadsEvery = TimeSpan.FromSeconds(20);

    private readonly VirtualStore _store;
    private readonly ITimer _timer;
    private readonly Random _rereads; // the store's random numbers stay those of its messages
    private readonly Dictionary<string, (string Identity, TimeSpan Until, bool ReplacesPrevious)> _unsent = [];
    private readonly Dictionary<string, string> _written = [];
    private Action<PeerNews>? _listener;
    private TimeSpan? _offset;
    private TimeSpan? _answered;
    private TimeSpan? _readAt; // when a read of all facts is due, because facts may be missing; null if none is due
    private TimeSpan _rereadAt = TimeSpan.MaxValue; // when all facts are read again, because a message may be lost without a sign
    private long _life;
    private bool _isConnected;
    private bool _isDisposed;

    public VirtualLink(VirtualStore store, PeerScope scope, int place)
    {
        (_store, Place) = (store, place);
        Scope = $"{scope.Name}/{scope.Pool}";
        _rereads = new Random(place);
        _timer = store.Time.CreateTimer(static link => ((VirtualLink)link!).ReadStore(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Scope { get; }

    public int Place { get; }

    public bool IsCutOff { get; set; }

    public PeerLinkStatus Status => new()
    {
        IsConnected = _isConnected,
        Age = _store.Time.Elapsed - _answered,
        Lag = _answered is null ? null : 2 * _store.Delay,
        Problem = _isConnected ? null : "The store does not answer.",
    };

    private bool Reaches => !IsCutOff && !_store.IsDown && !_store.IsFrozen;

    public void Start(Action<PeerNews> listener)
    {
        _listener = listener;
        _readAt = _store.Time.Elapsed;
        _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Publish(IReadOnlyList<PeerFact> facts)
    {
        var now = _store.Time.Elapsed;
        foreach (var fact in facts)
            _unsent[$"{fact.Kind}/{fact.Subject}"] = (PeerFactFormat.Identity(fact), now + fact.Left, fact.ReplacesPrevious);
        Send();
    }

    public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) =>
        new(_isConnected && Reaches ? _store.Lead(Scope + role, Place) : TimeSpan.Zero);

    public void Disconnect() => _isConnected = false;

    public void Receive(IReadOnlyList<(string Identity, TimeSpan Until)> facts)
    {
        if (!_isDisposed && Reaches && _offset is { } offset)
            PublishNews(facts, offset, isComplete: false);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
    }

    // Reads the store's time and identity once a second. A store that does not answer is detected in this way too.
    private void ReadStore()
    {
        if (_isDisposed)
            return;
        _timer.Change(LooksEvery, Timeout.InfiniteTimeSpan);
        var now = _store.Time.Elapsed;
        if (!Reaches)
        {
            if (_answered is null || now - _answered > SilentAfter)
                _isConnected = false;
            return;
        }
        _answered = now;
        var offset = _store.Now - now;
        var hasJumped = _offset is { } before && (offset - before).Duration() > TimeSpan.FromSeconds(1);
        // The expiry times of earlier facts were computed with another clock, and are now too late or too early.
        if (hasJumped)
            _store.Remove(Scope, _written.Values);
        var wasLost = !_isConnected || _life != _store.Life || hasJumped;
        (_offset, _life) = (offset, _store.Life);
        if (wasLost && _readAt is null)
            _readAt = now + RereadsWithin * _store.Random.NextDouble();
        _isConnected = true;
        if (_rereadAt <= now)
            _readAt ??= now;
        if (_readAt is { } at && at <= now)
            _store.After(_store.Travel(), Read);
        Send();
    }

    private void Read()
    {
        if (_isDisposed || !Reaches || _readAt is null)
            return;
        _readAt = null;
        _rereadAt = _store.Time.Elapsed + RereadsEvery * (0.5 + _rereads.NextDouble());
        _offset = _store.Now - _store.Time.Elapsed;
        PublishNews(_store.ReadAll(Scope), _offset.Value, isComplete: true);
    }

    private void Send()
    {
        if (!_isConnected || !Reaches || _offset is not { } offset || _unsent.Count == 0)
            return;
        var now = _store.Time.Elapsed;
        var facts = _unsent.Values.Where(f => f.Until > now).Select(f => (f.Identity, f.Until + offset)).ToArray();
        var replaced = new List<string>();
        foreach (var (key, fact) in _unsent)
        {
            if (fact.ReplacesPrevious && _written.TryGetValue(key, out var old) && old != fact.Identity)
                replaced.Add(old);
            _written[key] = fact.Identity;
        }
        _unsent.Clear();
        if (facts.Length > 0)
        {
            _store.After(_store.Travel(), () =>
            {
                if (!Reaches)
                    return;
                _store.ReceiveFacts(Scope, Place, facts);
                _store.Remove(Scope, replaced);
            });
        }
    }

    private void PublishNews(IReadOnlyList<(string Identity, TimeSpan Until)> facts, TimeSpan offset, bool isComplete)
    {
        var now = _store.Time.Elapsed + offset;
        var read = new List<PeerFact>(facts.Count);
        foreach (var (identity, until) in facts)
        {
            if (until > now && PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(identity), out var fact))
                read.Add(fact with { Left = until - now });
        }

        _listener?.Invoke(new PeerNews(read, isComplete));
    }
}
