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
        place.Objects.Keys.Should().NotContain(n => n[0] == 't');
        place.Objects.Keys.Select(n => n[0]).Should().BeEquivalentTo("kcs", "one snapshot is left, and nothing else");
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
}
