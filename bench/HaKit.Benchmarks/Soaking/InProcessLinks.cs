using System.Threading.Channels;
using HaKit.Peers;

namespace HaKit.Benchmarks;

/// <summary>Connects replicas in one process: every published fact reaches all other replicas, in a separate task. It stores no facts. Thread-safe.</summary>
internal sealed class InProcessLinks
{
    private readonly Lock _lock = new();
    private readonly List<Link> _links = [];
    private long _messages;

    /// <summary>Gets the number of published messages.</summary>
    public long Messages => Volatile.Read(ref _messages);

    public IPeerLink Connect(PeerScope scope)
    {
        var link = new Link(this, scope.Replica);
        lock (_lock)
            _links.Add(link);
        return link;
    }

    private void Send(Link from, IReadOnlyList<PeerFact> facts)
    {
        Interlocked.Increment(ref _messages);
        lock (_lock)
        {
            foreach (var link in _links.Where(l => l != from))
                link.Receive(facts);
        }
    }

    private sealed class Link(InProcessLinks all, string replica) : IPeerLink
    {
        private readonly Channel<IReadOnlyList<PeerFact>> _received = Channel.CreateUnbounded<IReadOnlyList<PeerFact>>();

        public PeerLinkStatus Status { get; } = new() { IsConnected = true, Age = TimeSpan.Zero, Lag = TimeSpan.Zero };

        public void Start(Action<PeerNews> listener)
        {
            listener(new PeerNews([], IsComplete: true));
            _ = Task.Run(async () =>
            {
                await foreach (var facts in _received.Reader.ReadAllAsync())
                    listener(new PeerNews(facts, IsComplete: false));
            });
        }

        public void Publish(IReadOnlyList<PeerFact> facts) => all.Send(this, facts);

        public void Receive(IReadOnlyList<PeerFact> facts) => _received.Writer.TryWrite([.. facts]);

        // The first replica by name always leads.
        public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => new(replica == "one" ? TimeSpan.FromSeconds(30) : TimeSpan.Zero);

        public void Dispose()
        {
            lock (all._lock)
                all._links.Remove(this);
            _received.Writer.TryComplete();
        }
    }
}
