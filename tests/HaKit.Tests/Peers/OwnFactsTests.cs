using HaKit.Peers;

namespace HaKit.Tests.Peers;

/// <summary>Tests which facts a replica publishes, and when it publishes them again.</summary>
public sealed class OwnFactsTests
{
    [Fact(Timeout = 10_000)]
    public Task A_fact_waits_for_the_next_message_once_and_is_sent_with_its_remaining_time()
    {
        var own = new OwnFacts();
        own.AreWaiting.Should().BeFalse();
        own.Add(Opinion(1), S(30), S(0));
        own.AreWaiting.Should().BeTrue();
        own.DequeueWaiting(S(10)).Should().Equal(Opinion(1) with { Left = S(20) });
        own.AreWaiting.Should().BeFalse();
        own.DequeueWaiting(S(10)).Should().BeEmpty("it was sent");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task Versions_begin_at_one_and_grow()
    {
        var own = new OwnFacts();
        new[] { own.NextVersion(), own.NextVersion(), own.NextVersion() }.Should().Equal(1, 2, 3);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(9, false)]
    [InlineData(10, false)]
    [InlineData(11, true)]
    public Task A_fact_that_is_over_is_not_added(double until, bool isAdded)
    {
        var own = new OwnFacts();
        own.Add(Opinion(1), S(until), S(10));
        own.AreWaiting.Should().Be(isAdded);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(40, 20, 40)] // the known cooldown is longer
    [InlineData(20, 40, 40)]
    [InlineData(30, 30, 30)]
    public Task The_longer_of_two_cooldowns_is_kept(double first, double second, double kept)
    {
        var own = new OwnFacts();
        own.Add(Cooldown(1), S(first), S(0));
        own.Add(Cooldown(2), S(second), S(10));
        own.DequeueWaiting(S(10)).Should().ContainSingle().Which.Left.Should().Be(S(kept - 10));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_cooldown_that_is_shorter_than_the_published_one_is_not_published()
    {
        var own = new OwnFacts();
        own.Add(Cooldown(1), S(40), S(0));
        own.DequeueWaiting(S(0));
        own.Add(Cooldown(2), S(39), S(10));
        own.AreWaiting.Should().BeFalse();
        own.Add(Cooldown(3), S(41), S(10));
        own.DequeueWaiting(S(10)).Should().ContainSingle().Which.Version.Should().Be(3);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(39)]
    [InlineData(40)]
    public Task A_new_cooldown_replaces_one_that_is_nearly_or_just_over(double now)
    {
        var own = new OwnFacts();
        own.Add(Cooldown(9), S(40), S(0));
        own.DequeueWaiting(S(0));
        own.Add(Cooldown(1), S(45), S(now));
        own.DequeueWaiting(S(now)).Should().ContainSingle().Which.Version.Should().Be(1);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task An_opinion_of_a_later_version_replaces_the_known_one_even_if_it_ends_earlier()
    {
        var own = new OwnFacts();
        own.Add(Opinion(1), S(90), S(0));
        own.Add(Opinion(2), S(20), S(10));
        own.DequeueWaiting(S(10)).Should().Equal(Opinion(2) with { Left = S(10) });
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_fact_that_has_ended_before_the_message_is_sent_is_left_out()
    {
        var own = new OwnFacts();
        own.Add(Opinion(1), S(30), S(0));
        own.DequeueWaiting(S(30)).Should().BeEmpty();
        own.AreWaiting.Should().BeFalse();
        return Task.CompletedTask;
    }

    // What the store has, and whether the own cooldown (version 5, valid until 40 s, now 10 s) or the own opinion (the same) is published again.
    [Theory(Timeout = 10_000)]
    [InlineData(PeerFactKind.Opinion, 0, 0, true)] // nothing
    [InlineData(PeerFactKind.Opinion, 4, 90, true)]
    [InlineData(PeerFactKind.Opinion, 5, 1, false)]
    [InlineData(PeerFactKind.Opinion, 6, 1, false)]
    [InlineData(PeerFactKind.Cooldown, 0, 0, true)]
    [InlineData(PeerFactKind.Cooldown, 4, 29, true)] // shorter and older
    [InlineData(PeerFactKind.Cooldown, 4, 30, false)] // as long
    [InlineData(PeerFactKind.Cooldown, 4, 31, false)]
    [InlineData(PeerFactKind.Cooldown, 5, 1, false)]
    [InlineData(PeerFactKind.Cooldown, 6, 1, false)]
    public Task A_valid_fact_is_published_again_if_the_store_has_neither_it_nor_a_better_one(PeerFactKind kind, long version, double left, bool isPublished)
    {
        var own = new OwnFacts();
        own.Add(FactOf(kind, 5), S(40), S(0));
        own.DequeueWaiting(S(0));
        PeerFact[] stored = version == 0 ? [] : [FactOf(kind, version) with { Left = S(left) }];
        own.AddMissing(stored, S(10));
        own.AreWaiting.Should().Be(isPublished);
        return Task.CompletedTask;
    }

    // The versions of two replicas are unrelated. The own cooldown has version 5 and 30 s left; the own order has version 5.
    [Theory(Timeout = 10_000)]
    [InlineData(PeerFactKind.Cooldown, "r2", 900, 20, true)] // a later version of another replica, but shorter
    [InlineData(PeerFactKind.Cooldown, "r2", 900, 30, false)]
    [InlineData(PeerFactKind.Cooldown, "r2", 1, 31, false)]
    [InlineData(PeerFactKind.Order, "r0", 5, 90, true)] // of equal versions, the greater name is in force
    [InlineData(PeerFactKind.Order, "r2", 5, 1, false)]
    [InlineData(PeerFactKind.Order, "r0", 6, 1, false)]
    [InlineData(PeerFactKind.Order, "r2", 4, 90, true)]
    public Task A_stored_fact_of_another_replica_replaces_the_own_one_only_if_it_is_in_force(PeerFactKind kind, string replica, long version, double left, bool isPublished)
    {
        var own = new OwnFacts();
        own.Add(FactOf(kind, 5), S(40), S(0));
        own.DequeueWaiting(S(0));
        own.AddMissing([FactOf(kind, version) with { Replica = replica, Left = S(left) }], S(10));
        own.AreWaiting.Should().Be(isPublished);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(1, 6)]
    [InlineData(6, 1)]
    public Task Of_several_stored_facts_of_a_key_the_one_in_force_counts(long first, long second)
    {
        var own = new OwnFacts();
        own.Add(Opinion(5), S(40), S(0));
        own.DequeueWaiting(S(0));
        own.AddMissing([Opinion(first), Opinion(second)], S(10));
        own.AreWaiting.Should().BeFalse();
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(39, true)]
    [InlineData(40, false)]
    [InlineData(41, false)]
    public Task A_fact_that_is_over_is_not_published_again(double now, bool isPublished)
    {
        var own = new OwnFacts();
        own.Add(Opinion(1), S(40), S(0));
        own.DequeueWaiting(S(0));
        own.AddMissing([], S(now));
        own.AreWaiting.Should().Be(isPublished);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task An_order_of_another_replica_is_published_only_if_the_store_has_lost_it()
    {
        var own = new OwnFacts();
        own.Hold(FactOf(PeerFactKind.Order, 3) with { Replica = "other" }, S(40), S(0));
        own.AreWaiting.Should().BeFalse();
        own.AddMissing([], S(10));
        own.DequeueWaiting(S(10)).Should().ContainSingle().Which.Replica.Should().Be("other");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(9)]
    [InlineData(10)]
    public Task An_order_that_is_over_is_not_held(double until)
    {
        var own = new OwnFacts();
        own.Hold(FactOf(PeerFactKind.Order, 3), S(until), S(10));
        own.AddMissing([], S(0));
        own.AreWaiting.Should().BeFalse("it was not even held for a clock that stood before its end");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(29, true)]
    [InlineData(30, false)]
    [InlineData(31, false)]
    public Task Facts_that_are_over_are_removed(double now, bool isKept)
    {
        var own = new OwnFacts();
        own.Add(Opinion(1), S(30), S(0));
        own.RemoveExpired(S(now));
        own.DequeueWaiting(S(0)).Should().HaveCount(isKept ? 1 : 0);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(PeerFactKind.Order, false)]
    [InlineData(PeerFactKind.Cooldown, false)]
    [InlineData(PeerFactKind.Opinion, true)]
    [InlineData(PeerFactKind.TrialBegun, true)]
    [InlineData(PeerFactKind.TrialFailed, true)]
    [InlineData(PeerFactKind.Recovered, true)]
    [InlineData(PeerFactKind.Usage, true)]
    public Task Only_orders_and_cooldowns_hold_for_all_replicas_together(PeerFactKind kind, bool isOfItsReplica)
    {
        var fact = FactOf(kind, 1);
        fact.ReplacesPrevious.Should().Be(isOfItsReplica);
        (fact.Key == (fact with { Replica = "other" }).Key).Should().Be(!isOfItsReplica);
        (fact.Key == (fact with { Version = 7 }).Key).Should().BeTrue();
        (fact.Key == (fact with { Subject = "other" }).Key).Should().BeFalse();
        return Task.CompletedTask;
    }

    private static PeerFact Opinion(long version) => FactOf(PeerFactKind.Opinion, version);

    private static PeerFact Cooldown(long version) => FactOf(PeerFactKind.Cooldown, version);

    private static PeerFact FactOf(PeerFactKind kind, long version) => new() { Kind = kind, Subject = "e", Replica = "r1", Version = version, Length = S(60) };

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
