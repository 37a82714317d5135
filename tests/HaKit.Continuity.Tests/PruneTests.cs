namespace HaKit.Continuity.Tests;

/// <summary>Tests the conditions for which a prune waits.</summary>
public sealed class PruneTests : VaultTestBase
{
    private static readonly VaultPruneOptions s_newest = new() { KeepLast = 1 };

    [Fact(Timeout = Limit)]
    public async Task Chunks_are_deleted_after_the_grace_and_tombstones_after_their_life()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var place = new MemoryDestination();
        await using var vault = Make([("a", place)], time: time);
        foreach (var content in (string[])["first", "second"])
        {
            Write("state", content);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        (await vault.PruneAsync(s_newest, Token)).Should().BeEquivalentTo(new { Snapshots = 1, Marked = 1, Deleted = 0 });
        time.Advance(TimeSpan.FromHours(23));
        (await vault.PruneAsync(s_newest, Token)).Deleted.Should().Be(0);
        time.Advance(TimeSpan.FromHours(2));
        (await vault.PruneAsync(s_newest, Token)).Deleted.Should().Be(1);
        time.Advance(TimeSpan.FromDays(398));
        await vault.PruneAsync(s_newest, Token);
        place.Objects.Keys.Should().ContainSingle(n => n[0] == 't');
        time.Advance(TimeSpan.FromDays(2));
        await vault.PruneAsync(s_newest, Token);
        place.Objects.Keys.Should().ContainSingle(n => n[0] == 't', "no save has confirmed the time");
        await vault.SaveAsync(Source, cancellationToken: Token);
        await vault.PruneAsync(s_newest, Token);
        place.Objects.Keys.Should().ContainSingle(n => n[0] == 't', "the tombstone of the snapshot before the last save");
        place.Objects.Keys.Select(n => n[0]).Should().BeEquivalentTo("kcst", "one snapshot and the tombstone of the snapshot before it are left, and nothing else");
    }

    [Theory(Timeout = Limit)]
    [InlineData(2, 0.0, 2)]
    [InlineData(0, 2.5, 3)]
    [InlineData(1, 2.5, 3)]
    [InlineData(0, 0.5, 1)]
    [InlineData(0, 0.0, 5)]
    public async Task A_snapshot_is_kept_if_either_rule_says_so_and_the_newest_always(int last, double days, int kept)
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        await using var vault = Make([("a", new MemoryDestination())], time: time);
        for (var day = 0; day < 5; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
            Write("state", "of day " + day);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        await vault.PruneAsync(new VaultPruneOptions { KeepLast = last > 0 ? last : null, KeepDays = days > 0 ? days : null }, Token);
        (await vault.ListAsync(Token)).Select(s => s.Number).Should().Equal(Enumerable.Range(6 - kept, kept).Select(n => (long)n));
    }

    [Fact(Timeout = Limit)]
    public async Task A_save_that_takes_hours_keeps_its_announcement_and_no_prune_deletes_what_it_counts_on()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var (isSlow, isPruned, began) = (false, false, 0L);
        VaultPruneReport? report = null;
        Vault? other = null;
        var place = new MemoryDestination(TurnAsync);
        await using var vault = Make([("a", place)], configure: o => o.OperationTimeout = TimeSpan.FromDays(1), time: time);
        other = Make([("a", place)], configure: o => (o.OperationTimeout, o.Grace) = (TimeSpan.FromDays(1), TimeSpan.Zero), time: time);
        await using var disposed = other;
        foreach (var content in (string[])["content that comes again", "other"])
        {
            Write("state", content);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        await vault.PruneAsync(s_newest, Token);

        Write("state", "content that comes again");
        for (var i = 0; i < 12; i++)
        {
            var large = new byte[1 << 20];
            new Random(i).NextBytes(large);
            File.WriteAllBytes(Path.Combine(Source, $"a{i:00}"), large);
        }
        isSlow = true;
        began = time.GetTimestamp();
        var saved = await vault.SaveAsync(Source, cancellationToken: Token);
        isSlow = false;
        report!.Problems.Should().ContainSingle().Which.Should().Contain("a save is in progress");
        report.Deleted.Should().Be(0);
        await RestoresAsync(vault, saved.Id, Tree(Source));

        async ValueTask TurnAsync()
        {
            if (!isSlow)
                return;
            time.Advance(TimeSpan.FromMinutes(30));
            if (isPruned || time.GetElapsedTime(began) < TimeSpan.FromHours(5))
                return;
            (isPruned, isSlow) = (true, false);
            report = await other!.PruneAsync(s_newest, CancellationToken.None);
            isSlow = true;
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData(400)]
    [InlineData(36500)]
    public async Task A_clock_that_is_ahead_for_one_prune_deletes_no_snapshot_although_no_save_ran_with_this_clock(int days)
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        await using var vault = await WithDailySavesAsync(new MemoryDestination(), time);
        time.JumpWallClock(TimeSpan.FromDays(days));
        var pruned = await vault.PruneAsync(new VaultPruneOptions { KeepDays = 30 }, Token);
        time.JumpWallClock(TimeSpan.FromDays(-days));
        (pruned.Snapshots, (await vault.ListAsync(Token)).Count).Should().Be((0, 5));
        pruned.Problems.Should().ContainSingle().Which.Should().Contain("the clock may have been wrong");
    }

    [Fact(Timeout = Limit)]
    public async Task A_clock_that_is_ahead_for_one_prune_forgets_no_deletion()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var place = new MemoryDestination();
        await using var vault = await WithDailySavesAsync(place, time);
        var earlier = place.Copy();
        await vault.PruneAsync(s_newest, Token);
        time.JumpWallClock(TimeSpan.FromDays(1000));
        await vault.PruneAsync(s_newest, Token);
        time.JumpWallClock(TimeSpan.FromDays(-1000));
        foreach (var (name, content) in earlier)
            place.Objects.TryAdd(name, content);
        await vault.SyncAsync(Token);
        (await vault.ListAsync(Token)).Should().ContainSingle("the other snapshots were deleted");
    }

    [Fact(Timeout = Limit)]
    public async Task A_clock_that_is_ahead_for_one_prune_takes_no_chunk_from_a_save_of_another_machine()
    {
        var (right, ahead) = (new HaKit.Testing.ManualTimeProvider(), new HaKit.Testing.ManualTimeProvider());
        ahead.JumpWallClock(TimeSpan.FromDays(1000));
        Vault? other = null;
        MemoryDestination? place = null;
        var (isArmed, isPruned) = (false, false);
        place = new MemoryDestination(TurnAsync);
        await using var vault = Make([("a", place)], time: right);
        other = Make([("a", place)], time: ahead);
        await using var disposed = other;
        foreach (var content in (string[])["content that comes again", "other"])
        {
            Write("state", content);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        await vault.PruneAsync(s_newest, Token); // marks the chunk of the first content
        Write("state", "content that comes again");
        isArmed = true;
        VaultSnapshot? saved = null;
        try
        {
            saved = await vault.SaveAsync(Source, cancellationToken: Token);
        }
        catch (VaultException)
        {
            // A save that fails by name has promised nothing.
        }
        isPruned.Should().BeTrue();
        isArmed = false;
        if (saved is not null)
            await RestoresAsync(vault, saved.Id, Tree(Source));
        foreach (var listed in await vault.ListAsync(Token))
            await vault.RestoreAsync(listed.Id, NewTarget(), Token);

        async ValueTask TurnAsync()
        {
            if (!isArmed || isPruned || !place!.Objects.Keys.Any(static n => n[0] == 'i'))
                return;
            isPruned = true;
            await other!.PruneAsync(s_newest, CancellationToken.None);
        }
    }

    private async Task<Vault> WithDailySavesAsync(MemoryDestination place, HaKit.Testing.ManualTimeProvider time)
    {
        var vault = Make([("a", place)], time: time);
        for (var day = 0; day < 5; day++)
        {
            if (day > 0)
                time.Advance(TimeSpan.FromDays(1));
            Write("state", "of day " + day);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        return vault;
    }
}
