namespace HaKit.Continuity.Tests;

/// <summary>Tests objects that are damaged or lost on every destination: a check object, a snapshot, an announcement.</summary>
public sealed class LossTests : VaultTestBase
{
    private static readonly VaultPruneOptions s_newest = new() { KeepLast = 1 };
    private readonly MemoryDestination _place = new();

    [Fact(Timeout = Limit)]
    public async Task An_only_destination_whose_check_object_is_damaged_is_restored_and_a_save_repairs_it()
    {
        WriteSome();
        await using var vault = Make([("a", _place)]);
        var saved = await vault.SaveAsync(Source, cancellationToken: Token);
        var (name, good) = _place.Objects.Single(o => o.Key[0] == 'k');
        foreach (var bad in (byte[][])[[], good[..^1], .. Enumerable.Range(4, good.Length - 4).Select(i => Flipped(good, i))])
        {
            _place.Objects[name] = bad;
            await RestoresAsync(vault, saved.Id, Tree(Source));
            (await vault.ListAsync(Token)).Should().ContainSingle();
            (await vault.CheckAsync(Token)).Findings.Should().ContainSingle().Which.ObjectName.Should().Be(name);
        }
        (await vault.SaveAsync(Source, cancellationToken: Token)).ChunksSent.Should().Be(0, "the vault's id key is the same");
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task A_vault_whose_check_object_is_gone_stays_the_same_vault()
    {
        WriteSome();
        await using var vault = Make([("a", _place)]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        _place.Objects.TryRemove("k/check.1", out _);
        (await vault.SaveAsync(Source, cancellationToken: Token)).Number.Should().Be(2);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();

        // If no object tells the identity of the vault, a save does not create a second vault among the objects of the first vault.
        _place.RollBack(_place.Copy().Where(o => o.Key[0] == 'c').ToDictionary());
        var before = _place.Copy();
        (await vault.Invoking(v => v.SaveAsync(Source, cancellationToken: Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("'a'").And.Contain("k/check");
        _place.Objects.Keys.Should().BeEquivalentTo(before.Keys);
    }

    [Fact(Timeout = Limit)]
    public async Task A_wrong_key_opens_nothing_by_a_snapshot_either()
    {
        WriteSome();
        await using (var vault = Make([("a", _place)]))
            await vault.SaveAsync(Source, cancellationToken: Token);
        foreach (var prepare in (Action[])[() => _place.Objects["k/check.1"] = [1, 2, 3], () => _place.Objects.TryRemove("k/check.1", out _)])
        {
            prepare();
            _place.Written.Clear();
            await using var wrong = Make([("a", _place)], Key2);
            await wrong.Invoking(v => v.SaveAsync(Source, cancellationToken: Token)).Should().ThrowAsync<VaultException>();
            await wrong.Invoking(v => v.RestoreAsync("latest", NewTarget(), Token)).Should().ThrowAsync<VaultException>();
            _place.Written.Should().BeEmpty();
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_snapshot_that_is_damaged_everywhere_is_named_keeps_all_chunks_and_goes_when_it_is_given_up()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var other = new MemoryDestination();
        await using var vault = Make([("a", _place), ("b", other)], time: time);
        var snapshots = new List<VaultSnapshot>();
        foreach (var content in (string[])["first", "second", "third"])
        {
            Write("state", content);
            snapshots.Add(await vault.SaveAsync(Source, copies: 2, Token));
        }
        var lost = $"s/{snapshots[1].Id}.1";
        foreach (var place in (MemoryDestination[])[_place, other])
            place.Objects[lost] = Flipped(place.Objects[lost], 40);

        var pruned = await vault.PruneAsync(s_newest, Token);
        pruned.Should().BeEquivalentTo(new { Snapshots = 1, Marked = 0, Deleted = 0 }, "the first goes by the rule, and no chunk is touched");
        pruned.Problems.Should().ContainSingle().Which.Should().Contain(snapshots[1].Id);
        time.Advance(TimeSpan.FromHours(25));
        (await vault.PruneAsync(s_newest, Token)).Deleted.Should().Be(0);
        (await vault.SyncAsync(Token)).Problems.Should().ContainSingle().Which.Should().Contain(snapshots[1].Id);

        other.Failure = new UnauthorizedAccessException("gone");
        (await vault.PruneAsync(s_newest with { GiveUpDamaged = true }, Token)).Snapshots.Should().Be(0, "a destination that is out may have a good copy");
        other.Failure = null;
        (await vault.PruneAsync(s_newest with { GiveUpDamaged = true }, Token)).Should().BeEquivalentTo(new { Snapshots = 1, Deleted = 0 });
        time.Advance(TimeSpan.FromHours(25));
        (await vault.PruneAsync(s_newest, Token)).Deleted.Should().Be(4, "two chunks on two destinations");
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        await RestoresAsync(vault, "latest", Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_sync_repairs_tombstones_and_takes_away_announcements_that_are_damaged()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        await using var vault = Make([("a", _place)], time: time);
        foreach (var content in (string[])["first", "second"])
        {
            Write("state", content);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        await vault.PruneAsync(s_newest, Token);
        _place.Objects.Keys.Select(n => n[0]).Should().Contain(['t', 'm']);
        foreach (var (name, good) in _place.Copy().Where(o => o.Key[0] is 't' or 'm'))
            _place.Objects[name] = Flipped(good, good.Length / 2);
        _place.Objects["i/00112233445566778899aabbccddeeff.1"] = [1, 2, 3]; // a save that never ends
        (await vault.CheckAsync(Token)).Findings.Should().HaveCount(3);
        await vault.SyncAsync(Token);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        (await vault.PruneAsync(s_newest, Token)).Marked.Should().Be(1);
        time.Advance(TimeSpan.FromHours(25));
        (await vault.PruneAsync(s_newest, Token)).Deleted.Should().Be(1);
        var tombstone = _place.Objects.Keys.Single(n => n[0] == 't');
        time.Advance(TimeSpan.FromDays(401));
        await vault.PruneAsync(s_newest, Token);
        _place.Objects.Should().ContainKey(tombstone, "the clock alone does not make it old: a save must have happened since");
        Write("state", "third");
        await vault.SaveAsync(Source, cancellationToken: Token);
        await vault.PruneAsync(s_newest, Token);
        _place.Objects.Keys.Where(n => n[0] == 't').Should().ContainSingle("only the snapshot that the third save replaced has a tombstone").Which.Should().NotBe(tombstone);
    }

    [Fact(Timeout = Limit)]
    public async Task A_save_replaces_the_only_copy_of_a_chunk_if_it_is_damaged_and_another_destination_lacks_it()
    {
        var other = new MemoryDestination();
        Write("state", "content");
        await using (var only = Make([("a", _place)]))
            await only.SaveAsync(Source, cancellationToken: Token);
        var chunk = _place.Objects.Keys.Single(n => n[0] == 'c');
        _place.Objects[chunk] = Flipped(_place.Objects[chunk], 20);
        await using (var both = Make([("a", _place), ("b", other)]))
            (await both.SaveAsync(Source, copies: 2, Token)).Destinations.Should().Equal("a", "b");
        foreach (var place in (MemoryDestination[])[_place, other])
        {
            await using var alone = Make([("a", place)]);
            await RestoresAsync(alone, "latest", Tree(Source));
            (await alone.CheckAsync(Token)).Findings.Should().BeEmpty();
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_sync_repairs_a_snapshot_whose_chunk_is_lost_and_does_not_copy_it_to_a_destination_that_lacks_it()
    {
        MemoryDestination damaged = new(), empty = new();
        Write("state", "content");
        await using (var two = Make([("a", _place), ("b", damaged)]))
            await two.SaveAsync(Source, copies: 2, Token);
        foreach (var place in (MemoryDestination[])[_place, damaged])
        {
            var chunk = place.Objects.Keys.Single(n => n[0] == 'c');
            place.Objects[chunk] = Flipped(place.Objects[chunk], 20);
        }
        var snapshot = _place.Objects.Keys.Single(n => n[0] == 's');
        damaged.Objects[snapshot] = Flipped(damaged.Objects[snapshot], 40);
        await using var vault = Make([("a", _place), ("b", damaged), ("c", empty)]);
        (await vault.SyncAsync(Token)).Should().BeEquivalentTo(new { Snapshots = 1, Chunks = 0 });
        (await vault.CheckAsync(Token)).Findings.Should().NotContain(f => f.ObjectName == snapshot && f.Problem == VaultProblem.Damaged);
        empty.Objects.Keys.Should().NotContain(n => n[0] == 's');
    }

    [Fact(Timeout = Limit)]
    public async Task A_rekey_names_what_is_damaged_seals_the_rest_and_keeps_the_old_check_object()
    {
        WriteSome();
        await using (var first = Make([("a", _place)]))
            await first.SaveAsync(Source, cancellationToken: Token);
        var name = _place.Objects.Keys.Single(n => n[0] == 'c');
        var good = _place.Objects[name];
        _place.Objects[name] = Flipped(good, 50);
        await using var both = Make([("a", _place)], configure: o => o.Keys["2"] = Key2);
        (await both.Invoking(v => v.RekeyAsync(Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain(name).And.Contain("keep the old key");
        _place.Objects.Keys.Should().Contain(["k/check.1", "k/check.2"]).And.Contain(n => n[0] == 's' && n.EndsWith(".2", StringComparison.Ordinal));
        _place.Objects[name] = good;
        await both.RekeyAsync(Token);
        _place.Objects.Keys.Should().OnlyContain(n => n.EndsWith(".2", StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task A_disk_that_is_full_at_any_point_of_a_save_lists_nothing_and_the_next_save_is_whole()
    {
        var isSaved = false;
        for (var room = 0; !isSaved; room++)
        {
            var place = new MemoryDestination();
            await using var vault = Make([("a", place)]);
            Write("first", "1");
            var first = await vault.SaveAsync(Source, cancellationToken: Token);
            var before = Tree(Source);
            var large = new byte[3 << 20];
            new Random(room).NextBytes(large);
            File.WriteAllBytes(Path.Combine(Source, "large"), large);
            place.Room = room;
            try
            {
                await vault.SaveAsync(Source, cancellationToken: Token);
                isSaved = true;
            }
            catch (VaultException e)
            {
                e.Message.Should().Contain("'a'").And.Contain("No space left");
                (await vault.ListAsync(Token)).Should().ContainSingle("room for {0} objects", room);
                await RestoresAsync(vault, first.Id, before);
            }
            place.Room = null;
            await vault.SaveAsync(Source, cancellationToken: Token);
            await RestoresAsync(vault, "latest", Tree(Source));
            (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
            File.Delete(Path.Combine(Source, "large"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_clock_that_went_back_loses_nothing()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        Write("state", "first");
        await using (var ahead = Make([("a", _place)], time: time))
        {
            time.Advance(TimeSpan.FromDays(10));
            await ahead.SaveAsync(Source, cancellationToken: Token);
            Write("state", "second");
            await ahead.SaveAsync(Source, cancellationToken: Token);
            await ahead.PruneAsync(s_newest, Token);
        }
        await using var vault = Make([("a", _place)], time: new HaKit.Testing.ManualTimeProvider());
        Write("state", "first");
        (await vault.SaveAsync(Source, cancellationToken: Token)).Number.Should().Be(3);
        (await vault.PruneAsync(s_newest with { KeepDays = 1 }, Token)).Deleted.Should().Be(0);
        await RestoresAsync(vault, "latest", Tree(Source));
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    private static byte[] Flipped(byte[] good, int at)
    {
        var bad = good.ToArray();
        bad[at] ^= 0x5A;
        return bad;
    }
}
