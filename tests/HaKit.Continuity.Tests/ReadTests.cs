namespace HaKit.Continuity.Tests;

/// <summary>Tests reads of an object that several destinations list: which copy is used, which destination is named, and which problem is reported.</summary>
public sealed class ReadTests : VaultTestBase
{
    private readonly MemoryDestination[] _places = [new(), new()];

    private Vault MakeTwo() => Make([("a", _places[0]), ("b", _places[1])]);

    [Theory(Timeout = Limit)]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_destination_that_refuses_a_read_does_not_stop_the_read_of_the_good_copy(int refusing)
    {
        WriteSome();
        await using var vault = MakeTwo();
        await vault.SaveAsync(Source, copies: 2, Token);
        _places[refusing].Trouble = static o => o.StartsWith("get c/", StringComparison.Ordinal) || o.StartsWith("get s/", StringComparison.Ordinal) ? new UnauthorizedAccessException("refused") : null;
        for (var i = 0; i < 20; i++)
            await RestoresAsync(vault, "latest", Tree(Source), $"restore {i}");
    }

    [Fact(Timeout = Limit)]
    public async Task Each_destination_that_refuses_a_read_is_named_with_its_own_reason()
    {
        WriteSome();
        await using var vault = MakeTwo();
        var saved = await vault.SaveAsync(Source, copies: 2, Token);
        for (var place = 0; place < 2; place++)
        {
            var reason = "refused by " + place;
            _places[place].Trouble = o => o.StartsWith("get s/", StringComparison.Ordinal) ? new UnauthorizedAccessException(reason) : null;
        }
        for (var i = 0; i < 10; i++)
        {
            (await vault.Invoking(v => v.RestoreAsync(saved.Id, NewTarget(), Token)).Should().ThrowAsync<VaultObjectException>()).Which.Message
                .Should().Contain("'a': refused by 0").And.Contain("'b': refused by 1");
        }
    }

    public static TheoryData<VaultProblem, VaultProblem> Problems => new()
    {
        { VaultProblem.Unreachable, VaultProblem.Unreadable },
        { VaultProblem.Unreachable, VaultProblem.Missing },
        { VaultProblem.Unreachable, VaultProblem.Damaged },
        { VaultProblem.Unreadable, VaultProblem.Missing },
        { VaultProblem.Unreadable, VaultProblem.Damaged },
        { VaultProblem.Missing, VaultProblem.Damaged },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Problems))]
    public async Task The_problem_with_the_most_hope_is_reported_in_each_order_and_only_a_lost_snapshot_is_given_up(VaultProblem reported, VaultProblem other)
    {
        for (var first = 0; first < 2; first++)
        {
            MemoryDestination[] places = [new(), new()];
            await using var vault = Make([("a", places[0]), ("b", places[1])]);
            Write("state", "first");
            var saved = await vault.SaveAsync(Source, copies: 2, Token);
            Write("state", "second");
            await vault.SaveAsync(Source, copies: 2, Token);
            var name = $"s/{saved.Id}.1";
            Break(places[first], name, reported);
            Break(places[1 - first], name, other);

            for (var i = 0; i < 5; i++)
                (await vault.Invoking(v => v.RestoreAsync(saved.Id, NewTarget(), Token)).Should().ThrowAsync<VaultObjectException>()).Which.Problem.Should().Be(reported);
            var given = await vault.PruneAsync(new VaultPruneOptions { GiveUpDamaged = true }, Token);
            given.Snapshots.Should().Be(reported is VaultProblem.Missing ? 1 : 0, "a copy that is {0} may be good", reported);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_snapshot_that_no_destination_lists_is_missing_or_cannot_be_reached()
    {
        WriteSome();
        await using var vault = MakeTwo();
        await vault.SaveAsync(Source, copies: 2, Token);
        var unknown = new string('a', 64);
        (await vault.Invoking(v => v.RestoreAsync(unknown, NewTarget(), Token)).Should().ThrowAsync<VaultObjectException>()).Which.Problem.Should().Be(VaultProblem.Missing);
        _places[1].Failure = new UnauthorizedAccessException("gone");
        (await vault.Invoking(v => v.RestoreAsync(unknown, NewTarget(), Token)).Should().ThrowAsync<VaultObjectException>()).Which.Problem.Should().Be(VaultProblem.Unreachable);
    }

    private static void Break(MemoryDestination place, string name, VaultProblem problem)
    {
        var good = place.Objects[name];
        var bad = good.ToArray();
        bad[^1] ^= 0x5A;
        if (problem == VaultProblem.Unreadable)
            bad[2] = 9;
        if (problem is VaultProblem.Unreadable or VaultProblem.Damaged)
            place.Objects[name] = bad;
        place.Trouble = operation =>
        {
            if (operation.StartsWith("list ", StringComparison.Ordinal) && problem == VaultProblem.Missing)
                place.Objects[name] = good;
            if (operation != $"get {name}")
                return null;
            // The destination lists the object and does not have it.
            if (problem == VaultProblem.Missing)
                place.Objects.TryRemove(name, out _);
            return problem == VaultProblem.Unreachable ? new UnauthorizedAccessException("refused") : null;
        };
    }
}
