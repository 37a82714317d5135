namespace HaKit.Continuity.Tests;

/// <summary>A restore gives the saved content, a save sends only changed content, and deleted snapshots stay deleted.</summary>
public sealed class VaultTests : VaultTestBase
{
    [Fact(Timeout = Limit)]
    public async Task What_was_saved_is_restored_byte_for_byte()
    {
        WriteSome();
        await using var vault = Make([("a", new MemoryDestination()), ("b", new MemoryDestination())]);
        var saved = await vault.SaveAsync(Source, copies: 2, Token);
        var target = NewTarget();
        await vault.RestoreAsync(saved.Id, target, Token);

        Tree(target).Should().Equal(Tree(Source));
        File.GetLastWriteTimeUtc(Path.Combine(target, "a.txt")).Should().Be(File.GetLastWriteTimeUtc(Path.Combine(Source, "a.txt")));
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task A_folder_keeps_what_was_saved_for_another_process()
    {
        WriteSome();
        var place = Path.Combine(Root, "place");
        string id;
        await using (var first = Make([("a", new FolderDestination(place))]))
            id = (await first.SaveAsync(Source, cancellationToken: Token)).Id;
        await using var second = Make([("a", new FolderDestination(place))]);
        var target = NewTarget();
        await second.RestoreAsync(id, target, Token);
        Tree(target).Should().Equal(Tree(Source));
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(Directory.EnumerateFiles(Path.Combine(place, "c")).First()).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact(Timeout = Limit)]
    public async Task Ten_thousand_small_files_are_about_twenty_objects_and_one_changed_file_is_one()
    {
        var random = new Random(1);
        Directory.CreateDirectory(Source);
        for (var i = 0; i < 10_000; i++)
        {
            var content = new byte[2048];
            random.NextBytes(content);
            File.WriteAllBytes(Path.Combine(Source, $"f{i:00000}"), content);
        }
        var place = new MemoryDestination();
        await using var vault = Make([("a", place)]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        place.Objects.Keys.Count(k => k.StartsWith("c/", StringComparison.Ordinal)).Should().BeInRange(19, 21);

        place.Written.Clear();
        File.WriteAllText(Path.Combine(Source, "f00500"), "changed");
        var second = await vault.SaveAsync(Source, cancellationToken: Token);
        place.Written.Count(k => k[0] == 'c').Should().Be(1);
        place.Written.Count(k => k[0] == 's').Should().Be(1);
        second.ChunksSent.Should().Be(1);
    }

    [Theory(Timeout = Limit)]
    [InlineData(40)]
    public async Task A_changed_byte_of_a_large_file_sends_at_most_two_objects_and_a_manifest(int megabytes)
    {
        Directory.CreateDirectory(Source);
        var file = Path.Combine(Source, "large");
        var content = new byte[megabytes * 1024 * 1024 + 12_345];
        new Random(2).NextBytes(content);
        await File.WriteAllBytesAsync(file, content, Token);
        Write("beside", "small");
        var place = new MemoryDestination();
        await using var vault = Make([("a", place)]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        place.Written.Clear();
        content[content.Length / 2]++;
        await File.WriteAllBytesAsync(file, content, Token);
        var saved = await vault.SaveAsync(Source, cancellationToken: Token);
        place.Written.Count(k => k[0] == 'c').Should().BeLessThanOrEqualTo(2);
        place.Written.Count(k => k[0] == 's').Should().Be(1);
        var target = NewTarget();
        await vault.RestoreAsync(saved.Id, target, Token);
        File.ReadAllBytes(Path.Combine(target, "large")).AsSpan().SequenceEqual(content).Should().BeTrue();
    }

    [Fact(Timeout = Limit)]
    public async Task A_wrong_key_is_a_clear_error_and_nothing_is_written()
    {
        WriteSome();
        var place = new MemoryDestination();
        await using (var right = Make([("a", place)]))
            await right.SaveAsync(Source, cancellationToken: Token);
        place.Written.Clear();
        await using var wrong = Make([("a", place)], Key2);
        (await wrong.Invoking(v => v.SaveAsync(Source, cancellationToken: Token)).Should().ThrowAsync<VaultException>()).Which.Message
            .Should().Contain("do not open this vault").And.Contain("Nothing was written").And.NotContain(Key2);
        place.Written.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task A_pruned_snapshot_never_comes_back_from_a_destination_that_was_rolled_back()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var (a, b) = (new MemoryDestination(), new MemoryDestination());
        await using var vault = Make([("a", a), ("b", b)], time: time);
        Write("one", "1");
        var old = await vault.SaveAsync(Source, copies: 2, Token);
        var earlier = b.Copy();
        File.Delete(Path.Combine(Source, "one"));
        Write("two", "2");
        var kept = await vault.SaveAsync(Source, copies: 2, Token);
        (await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token)).Snapshots.Should().Be(1);
        time.Advance(TimeSpan.FromHours(25));
        (await vault.PruneAsync(new VaultPruneOptions(), Token)).Deleted.Should().Be(2, "each destination has one chunk that no snapshot uses");

        b.RollBack(earlier);
        (await vault.ListAsync(Token)).Select(s => s.Id).Should().Equal(kept.Id);
        (await vault.CheckAsync(Token)).Findings.Should().Contain(f => f.Destination == "b" && f.Problem == VaultProblem.RolledBack);
        await vault.SyncAsync(Token);
        b.Objects.Keys.Should().NotContain(k => k.StartsWith("s/" + old.Id, StringComparison.Ordinal));
        (await vault.ListAsync(Token)).Select(s => s.Id).Should().Equal(kept.Id);
        await vault.Invoking(v => v.RestoreAsync(old.Id, NewTarget(), Token)).Should().ThrowAsync<VaultException>();
    }

    [Fact(Timeout = Limit)]
    public async Task The_local_state_finds_an_only_destination_that_was_rolled_back()
    {
        var a = new MemoryDestination();
        await using var vault = Make([("a", a)], configure: o => o.StateFile = Path.Combine(Root, "state.json"));
        Write("one", "1");
        await vault.SaveAsync(Source, cancellationToken: Token);
        var earlier = a.Copy();
        Write("two", "2");
        await vault.SaveAsync(Source, cancellationToken: Token);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        a.RollBack(earlier);
        (await vault.CheckAsync(Token)).Findings.Should().ContainSingle().Which.Problem.Should().Be(VaultProblem.RolledBack);
        (await vault.SaveAsync(Source, cancellationToken: Token)).Number.Should().Be(3, "a number is never used twice");
        a.RollBack([]);
        (await vault.Invoking(v => v.SaveAsync(Source, cancellationToken: Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().StartWith("There is no vault: 'a': has no vault");
        a.Objects.Should().BeEmpty("a share that is not mounted is no reason for a second vault");
    }

    [Fact(Timeout = Limit)]
    public async Task Rekey_seals_everything_anew_and_the_old_key_is_needed_no_more()
    {
        WriteSome();
        var a = new MemoryDestination();
        await using (var first = Make([("a", a)]))
            await first.SaveAsync(Source, cancellationToken: Token);
        await using (var both = Make([("a", a)], configure: o => o.Keys["2"] = Key2))
            (await both.RekeyAsync(Token)).Should().BeGreaterThan(1);
        await using var second = Make([("a", a)], configure: o =>
        {
            o.Keys.Clear();
            o.Keys["2"] = Key2;
        });
        var target = NewTarget();
        await second.RestoreAsync("latest", target, Token);
        Tree(target).Should().Equal(Tree(Source));
        (await second.CheckAsync(Token)).Findings.Should().BeEmpty();
        (await second.SaveAsync(Source, cancellationToken: Token)).ChunksSent.Should().Be(0, "the ids of chunks do not depend on the key that seals them");
    }
}
