using HaKit.Testing;

namespace HaKit.Continuity.Tests;

/// <summary>Tests that results and messages say what was done, no more and no less.</summary>
public sealed class ReportTests : VaultTestBase
{
    private static readonly VaultPruneOptions s_newest = new() { KeepLast = 1 };
    private readonly MemoryDestination _first = new();
    private readonly MemoryDestination _second = new();

    private Vault MakeTwo(Action<VaultOptions>? configure = null, TimeProvider? time = null) => Make([("first", _first), ("second", _second)], configure: configure, time: time);

    [Theory(Timeout = Limit)]
    [InlineData("put s/", "disk full")]
    [InlineData("list ", "disk full")]
    public async Task A_save_that_only_some_destinations_complete_names_those_that_have_the_snapshot(string operation, string reason)
    {
        WriteSome();
        await using var vault = MakeTwo(o => o.StateFile = Path.Combine(Root, "state.json"));
        await vault.SaveAsync(Source, copies: 2, Token);
        Write("new", "new");
        var isWritten = operation.StartsWith("put", StringComparison.Ordinal);
        _second.Trouble = o =>
        {
            isWritten |= o.StartsWith("put s/", StringComparison.Ordinal);
            return isWritten && o.StartsWith(operation, StringComparison.Ordinal) ? new UnauthorizedAccessException(reason) : null;
        };

        var failure = (await vault.Invoking(v => v.SaveAsync(Source, copies: 2, Token)).Should().ThrowAsync<VaultException>()).Which.Message;

        failure.Should().StartWith("Snapshot 2 is on 1 destination ('first'), and 2 must have it.").And.Contain($"'second': {reason}").And.NotContain("not saved");
        _second.Trouble = null;
        (await vault.ListAsync(Token))[^1].Destinations.Should().Contain("first");
        await RestoresAsync(vault, "2", Tree(Source));
        _first.Failure = new UnauthorizedAccessException("gone");
        (await vault.SaveAsync(Source, copies: 1, Token)).Number.Should().Be(3, "two snapshots never have one number");
    }

    [Fact(Timeout = Limit)]
    public async Task A_save_that_no_destination_completes_says_that_nothing_was_saved()
    {
        WriteSome();
        await using var vault = MakeTwo(o => o.StateFile = Path.Combine(Root, "state.json"));
        _first.Trouble = _second.Trouble = static o => o.StartsWith("put s/", StringComparison.Ordinal) ? new UnauthorizedAccessException("disk full") : null;
        (await vault.Invoking(v => v.SaveAsync(Source, copies: 1, Token)).Should().ThrowAsync<VaultException>()).Which.Message
            .Should().StartWith("The snapshot was not saved: 1 destination must have it").And.Contain("'first': disk full").And.Contain("'second': disk full");
        File.Exists(Path.Combine(Root, "state.json")).Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task A_prune_counts_only_the_snapshots_and_chunks_that_it_deleted()
    {
        var time = new ManualTimeProvider();
        await using var vault = MakeTwo(time: time);
        foreach (var content in (string[])["one", "two", "three"])
        {
            Write("state", content);
            await vault.SaveAsync(Source, copies: 2, Token);
        }
        _first.WriteFailure = _second.WriteFailure = new UnauthorizedAccessException("read-only");
        var report = await vault.PruneAsync(s_newest, Token);
        report.Snapshots.Should().Be(0);
        report.Problems.Should().HaveCount(2);

        (_first.WriteFailure, _second.WriteFailure) = (null, null);
        (await vault.PruneAsync(s_newest, Token)).Should().BeEquivalentTo(new { Snapshots = 2, Marked = 4, Deleted = 0 });
        time.Advance(TimeSpan.FromHours(25));
        var deletions = 0;
        _first.Trouble = o => o.StartsWith("delete c/", StringComparison.Ordinal) && deletions++ > 0 ? new UnauthorizedAccessException("read-only") : null;
        report = await vault.PruneAsync(s_newest, Token);
        report.Deleted.Should().Be(3, "one chunk of the first destination was deleted before it failed");
        report.Problems.Should().ContainSingle().Which.Should().StartWith("'first'");
    }

    [Fact(Timeout = Limit)]
    public async Task A_prune_that_ends_before_all_marked_chunks_are_deleted_says_so()
    {
        var time = new ManualTimeProvider();
        await using var vault = Make([("first", _first)], time: time);
        foreach (var content in (string[])["one", "two", "three"])
        {
            Write("state", content);
            await vault.SaveAsync(Source, cancellationToken: Token);
        }
        await vault.PruneAsync(s_newest, Token);
        time.Advance(TimeSpan.FromHours(25));
        _first.Trouble = o =>
        {
            if (o.StartsWith("delete c/", StringComparison.Ordinal))
                time.Advance(TimeSpan.FromMinutes(6));
            return null;
        };
        var report = await CompletedAsync(vault.PruneAsync(s_newest, Token), time);
        report.Deleted.Should().Be(1);
        report.Problems.Should().ContainSingle().Which.Should().StartWith("'first'").And.Contain("next prune");
        (await CompletedAsync(vault.PruneAsync(s_newest, Token), time)).Should().BeEquivalentTo(new { Deleted = 1, Problems = Array.Empty<string>() });
    }

    [Fact(Timeout = Limit)]
    public async Task A_chunk_that_is_lost_everywhere_does_not_keep_a_sync_from_copying_the_rest()
    {
        await using var vault = MakeTwo();
        Write("state", "one");
        await vault.SaveAsync(Source, copies: 2, Token);
        var chunks = _first.Copy().Keys.Where(static n => n[0] == 'c').ToHashSet();
        Write("state", "two");
        var second = await vault.SaveAsync(Source, copies: 2, Token);
        Write("state", "three");
        await vault.SaveAsync(Source, copies: 2, Token);
        foreach (var name in chunks)
            _first.Objects[name] = [1, 2, 3];
        _second.RollBack(_second.Copy().Where(static o => o.Key[0] == 'k').ToDictionary());

        var report = await vault.SyncAsync(Token);

        report.Problems.Should().ContainSingle().Which.Should().Contain(chunks.Single()[..66]);
        report.Snapshots.Should().Be(2);
        _second.Objects.Keys.Should().Contain($"s/{second.Id}.1");
        var findings = (await vault.CheckAsync(Token)).Findings;
        findings.Where(static f => f.ObjectName.Length > 0 && f.Destination == "second").Should().ContainSingle("a destination lists a snapshot only if it has all chunks of the snapshot").Which.ObjectName.Should().StartWith("s/");
    }

    [Fact(Timeout = Limit)]
    public async Task A_save_reads_files_again_whose_chunks_no_destination_has_whole()
    {
        WriteSome();
        await using var vault = MakeTwo();
        await vault.SaveAsync(Source, copies: 2, Token);
        foreach (var name in _first.Copy().Keys.Where(static n => n[0] == 'c'))
            _first.Objects[name] = [1, 2, 3];
        _second.RollBack(_second.Copy().Where(static o => o.Key[0] == 'k').ToDictionary());

        var saved = await vault.SaveAsync(Source, copies: 2, Token);

        saved.Destinations.Should().Equal("first", "second");
        await RestoresAsync(vault, saved.Id, Tree(Source));
        await vault.SyncAsync(Token);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task The_progress_of_every_operation_ends_at_1()
    {
        WriteSome();
        await using var vault = MakeTwo();
        var last = new LastProgress();
        vault.Progress = last;
        Func<Task>[] operations =
        [
            () => vault.SaveAsync(Source, copies: 2, Token),
            () => vault.CheckAsync(Token),
            () => vault.SyncAsync(Token),
            () => vault.RestoreAsync("latest", NewTarget(), Token),
        ];
        foreach (var operation in operations)
        {
            last.Value = null;
            await operation();
            last.Value.Should().Be(1);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_state_file_that_cannot_be_used_is_named_and_so_is_a_snapshot_that_was_saved()
    {
        WriteSome();
        var state = Path.Combine(Root, "state.json");
        await using var vault = MakeTwo(o => o.StateFile = state);
        Directory.CreateDirectory(state);
        (await vault.Invoking(v => v.SaveAsync(Source, copies: 2, Token)).Should().ThrowAsync<VaultException>()).Which.Message
            .Should().StartWith("Snapshot 1 is on 2 destinations ('first', 'second'), but").And.Contain($"The state file '{state}' cannot be written");
        Directory.Delete(state);
        await vault.SaveAsync(Source, copies: 2, Token);
    }

    [Fact(Timeout = Limit)]
    public async Task A_snapshot_with_folders_that_their_owner_may_not_change_is_rehearsed_and_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "Permissions of folders do not stop this user.");
        Write("locked/deep/file", "one");
        SetMode("locked/deep", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        SetMode("locked", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            await using var vault = MakeTwo();
            await vault.SaveAsync(Source, copies: 2, Token);
            (await vault.RehearseAsync(Token)).Files.Should().Be(1);
            var target = NewTarget();
            var follow = vault.FollowAsync(target, TimeSpan.FromMilliseconds(10), Token).GetAsyncEnumerator(Token);
            (await follow.MoveNextAsync()).Should().BeTrue();
            await vault.SaveAsync(Source, copies: 2, Token);
            (await follow.MoveNextAsync()).Should().BeTrue();
            await follow.DisposeAsync();
            Directory.EnumerateDirectories(Root, "target-*").Should().Equal(target);
        }
        finally
        {
            UnixFiles.DeleteFolder(Root);
            Directory.CreateDirectory(Root);
        }
    }

    private void SetMode(string folder, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(Source, folder), mode);
    }

    private sealed class LastProgress : IProgress<double>
    {
        public double? Value { get; set; }

        public void Report(double value) => Value = value;
    }
}
