using HaKit.Attempts;
using HaKit.Peers;
using HaKit.Testing;

namespace HaKit.Tests.Peers;

/// <summary>Tests which replica sends the probes that cost money.</summary>
public sealed class PeerLeaderTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(15, true)]
    [InlineData(0, false)]
    [InlineData(null, true)]
    public void A_replica_leads_with_a_lease_or_if_the_store_cannot_decide(int? lease, bool leads)
    {
        var leader = new PeerLeader(new Link(lease is { } s ? TimeSpan.FromSeconds(s) : null), new PoolClock(_time));
        leader.Leads(isConnected: true);
        for (var second = 0; second < 120; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            leader.RenewIfDue();
            leader.Leads(isConnected: true).Should().Be(leads, $"after {second} s");
        }
    }

    [Fact]
    public void A_replica_without_a_connection_leads()
    {
        var leader = new PeerLeader(new Link(TimeSpan.Zero), new PoolClock(_time));
        leader.Leads(isConnected: false).Should().BeTrue();
    }

    private sealed class Link(TimeSpan? lease) : IPeerLink
    {
        public PeerLinkStatus Status => new() { IsConnected = true };

        public void Start(Action<PeerNews> listener)
        {
        }

        public void Publish(IReadOnlyList<PeerFact> facts)
        {
        }

        public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) =>
            lease is { } time ? new(time) : ValueTask.FromException<TimeSpan>(new InvalidOperationException("The store refuses writes."));

        public void Dispose()
        {
        }
    }
}
