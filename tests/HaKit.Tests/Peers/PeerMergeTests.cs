using FsCheck;
using FsCheck.Fluent;
using HaKit.Peers;

namespace HaKit.Tests.Peers;

/// <summary>Replicas reach the same result, for every order and every number of the facts that they receive.</summary>
public sealed class PeerMergeTests
{
    private static readonly PeerFactKind[] Kinds = [.. Enum.GetValues<PeerFactKind>().Where(static k => k != PeerFactKind.Unknown)];

    private static readonly Arbitrary<PeerFact[]> Facts = Arb.From(Gen.Choose(0, int.MaxValue).Select(FactOf).ArrayOf(3).Where(f => f.Length == 3));

    [Fact(Timeout = 60_000)]
    public Task Facts_of_a_key_merge_alike_in_any_order_and_number() => ForAll(facts =>
    {
        var (a, b, c) = (facts[0], As(facts[0], facts[1]), As(facts[0], facts[2]));
        PeerMerge.Merge(a, b).Should().Be(PeerMerge.Merge(b, a), "commutative");
        PeerMerge.Merge(a, a).Should().Be(a, "idempotent");
        PeerMerge.Merge(PeerMerge.Merge(a, b), c).Should().Be(PeerMerge.Merge(a, PeerMerge.Merge(b, c)), "associative");
    });

    [Fact(Timeout = 60_000)]
    public Task The_longest_cooldown_and_the_latest_order_hold() => ForAll(facts =>
    {
        var (a, b) = (facts[0], As(facts[0], facts[1]));
        var merged = PeerMerge.Merge(a, b);
        if (a.Kind == PeerFactKind.Cooldown)
            merged.Left.Should().Be(a.Left > b.Left ? a.Left : b.Left);
        else if (a.Kind is PeerFactKind.Order or PeerFactKind.Opinion)
            merged.Version.Should().Be(Math.Max(a.Version, b.Version));
    });

    // The first of the two facts holds. Empty: both are equal.
    [Theory(Timeout = 10_000)]
    [InlineData(PeerFactKind.Cooldown, 1, "a", 30, 9, "b", 29)] // the longest
    [InlineData(PeerFactKind.TrialBegun, 1, "a", 30, 9, "b", 29)]
    [InlineData(PeerFactKind.TrialFailed, 1, "a", 30, 9, "b", 29)]
    [InlineData(PeerFactKind.Recovered, 9, "a", 1, 8, "b", 29)] // the latest
    [InlineData(PeerFactKind.Opinion, 9, "a", 1, 8, "b", 29)]
    [InlineData(PeerFactKind.Order, 9, "a", 1, 8, "b", 29)]
    [InlineData(PeerFactKind.Usage, 9, "a", 1, 8, "b", 29)]
    [InlineData(PeerFactKind.Cooldown, 9, "a", 30, 8, "b", 30)] // as long: the latest
    [InlineData(PeerFactKind.Cooldown, 8, "b", 30, 8, "a", 30)] // as late: by the replica's name
    [InlineData(PeerFactKind.Order, 8, "b", 1, 8, "a", 30)]
    [InlineData(PeerFactKind.Order, 8, "a", 30, 8, "a", 29)] // the same fact, of which more is left
    public Task The_first_of_two_facts_holds(PeerFactKind kind, long version, string replica, double left, long otherVersion, string otherReplica, double otherLeft)
    {
        var holds = new PeerFact { Kind = kind, Subject = "e", Replica = replica, Version = version, Length = TimeSpan.FromSeconds(60), Left = TimeSpan.FromSeconds(left) };
        var other = holds with { Version = otherVersion, Replica = otherReplica, Left = TimeSpan.FromSeconds(otherLeft) };
        PeerMerge.Compare(holds, other).Should().BePositive();
        PeerMerge.Compare(other, holds).Should().BeNegative();
        PeerMerge.Merge(other, holds).Should().BeSameAs(holds);
        PeerMerge.Compare(holds, holds with { }).Should().Be(0);
        PeerMerge.Merge(holds, holds with { }).Should().BeSameAs(holds, "of equal facts the first stays");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_book_holds_the_same_order_whatever_order_it_hears_them_in() => ForAll(facts =>
    {
        var orders = facts.Select(f => f with { Kind = PeerFactKind.Order, Opinion = PeerOpinion.None, Left = f.Length, Order = AnOrder }).ToArray();
        var held = Permutations.Select(permutation =>
        {
            var book = new PeerBook();
            foreach (var i in permutation)
                book.TryAddOrder(orders[i], default, out _);
            return book.OrderFor("e", default)!.Fact;
        });
        held.Distinct().Should().ContainSingle();
    });

    private static readonly int[][] Permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 0, 1, 2, 1, 0]];

    private static readonly SignedOrder AnOrder = new(PoolOrder.Drain, null, "me", null, default, "");

    // Facts of one key have the same kind, and opinions also have the same replica.
    private static PeerFact As(PeerFact kind, PeerFact fact) => fact with
    {
        Kind = kind.Kind,
        Order = kind.Order,
        Opinion = kind.Kind == PeerFactKind.Opinion ? fact.Opinion : PeerOpinion.None,
    };

    private static Task ForAll(Action<PeerFact[]> holds)
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(20_241, 79), Prop.ForAll(Facts, facts =>
        {
            holds(facts);
            return true;
        }));
        return Task.CompletedTask;
    }

    private static PeerFact FactOf(int number)
    {
        var kind = Kinds[number % Kinds.Length];
        number /= Kinds.Length;
        return new PeerFact
        {
            Kind = kind,
            Subject = "e",
            Replica = "r" + number % 3,
            Version = 1 + number / 3 % 3,
            Length = TimeSpan.FromSeconds(1 + number / 9 % 3),
            Left = TimeSpan.FromSeconds(1 + number / 27 % 3),
            Opinion = kind == PeerFactKind.Opinion ? (PeerOpinion)(number / 81 % 3) : PeerOpinion.None,
            Order = kind == PeerFactKind.Order ? AnOrder : null,
        };
    }
}
