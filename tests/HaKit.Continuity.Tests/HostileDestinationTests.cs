using HaKit.Testing;

namespace HaKit.Continuity.Tests;

/// <summary>Tests that one destination, one wrong clock or one interrupted process does not take the data of the others.</summary>
public sealed class HostileDestinationTests : VaultTestBase
{
    [Theory(Timeout = Limit)]
    [InlineData("")]
    [InlineData("not sealed by any key of the vault")]
    public async Task A_tombstone_that_no_key_has_sealed_deletes_no_snapshot(string content)
    {
        WriteSome();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1])]);
        var saved = await vault.SaveAsync(Source, copies: 2, Token);
        foreach (var name in places[1].Objects.Keys.Where(static n => n.StartsWith("s/", StringComparison.Ordinal)).ToList())
            places[1].Objects["t" + name[1..]] = System.Text.Encoding.UTF8.GetBytes(content);
        for (var round = 0; round < 2; round++)
        {
            (await vault.ListAsync(Token)).Select(static s => s.Id).Should().Equal(saved.Id);
            await RestoresAsync(vault, "latest", Tree(Source));
            await vault.SyncAsync(Token);
            await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
        }
        (await vault.CheckAsync(Token)).Findings.Should().Contain(static f => f.Destination == "b" && f.ObjectName.StartsWith("t/", StringComparison.Ordinal));
        places.Should().OnlyContain(p => p.Objects.Keys.Any(static n => n.StartsWith("s/", StringComparison.Ordinal)));
    }

    [Theory(Timeout = Limit)]
    [InlineData(9, 1, true)] // sealed by a key that the vault does not have
    [InlineData(1, 2, true)] // of a format that this version does not read
    [InlineData(1, 1, false)] // listed, but not given back
    public async Task A_tombstone_that_cannot_be_opened_deletes_no_snapshot(byte key, byte format, bool canBeRead)
    {
        WriteSome();
        var time = new ManualTimeProvider();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1])], time: time);
        var saved = await CompletedAsync(vault.SaveAsync(Source, copies: 2, Token), time);
        places[1].Objects[$"t/{saved.Id}.{key}"] = [(byte)'H', (byte)'V', format, 0, key, 0, 0, 0, .. new byte[64]];
        places[1].Trouble = operation => !canBeRead && operation.StartsWith("get t/", StringComparison.Ordinal) ? new IOException("out") : null;
        for (var round = 0; round < 2; round++)
        {
            (await CompletedAsync(vault.ListAsync(Token), time)).Select(static s => s.Id).Should().Equal(saved.Id);
            await CompletedAsync(vault.SyncAsync(Token), time);
        }
        (await CompletedAsync(vault.CheckAsync(Token), time)).Findings.Should().Contain(static f => f.Destination == "b" && f.ObjectName.StartsWith("t/", StringComparison.Ordinal));
        places.Should().OnlyContain(p => p.Objects.Keys.Any(static n => n.StartsWith("s/", StringComparison.Ordinal)));
        var target = NewTarget();
        await CompletedAsync(vault.RestoreAsync("latest", target, Token), time);
        Tree(target).Should().Equal(Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_forged_tombstone_deletes_no_snapshot_of_a_destination_that_was_out_during_a_sync()
    {
        WriteSome();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1])]);
        var saved = await vault.SaveAsync(Source, copies: 2, Token);
        places[1].Objects.TryRemove($"s/{saved.Id}.1", out _).Should().BeTrue();
        places[1].Objects[$"t/{saved.Id}.1"] = [];
        places[0].Failure = new IOException("out");
        (await vault.SyncAsync(Token)).Problems.Should().Contain(static p => p.Contains("t/", StringComparison.Ordinal));
        places[0].Failure = null;
        await using var later = Make([("a", places[0]), ("b", places[1])]);
        await later.SyncAsync(Token);
        (await later.ListAsync(Token)).Select(static s => s.Id).Should().Equal(saved.Id);
        await RestoresAsync(later, "latest", Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_snapshot_that_was_deleted_does_not_come_back_with_a_destination_that_was_rolled_back()
    {
        WriteSome();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1])]);
        await vault.SaveAsync(Source, copies: 2, Token);
        var earlier = places[1].Copy();
        Write("a.txt", "changed");
        var kept = await vault.SaveAsync(Source, copies: 2, Token);
        await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
        places[1].RollBack(earlier);
        (await vault.ListAsync(Token)).Select(static s => s.Id).Should().Equal(kept.Id);
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_clock_that_is_ahead_for_one_prune_deletes_no_snapshot(bool isAheadForGood)
    {
        var time = new ManualTimeProvider();
        await using var vault = Make([("a", new MemoryDestination())], time: time);
        for (var day = 0; day < 5; day++)
        {
            Write("a.txt", $"day {day}");
            await vault.SaveAsync(Source, cancellationToken: Token);
            time.Advance(TimeSpan.FromDays(1));
        }
        time.Advance(TimeSpan.FromDays(400));
        await vault.SaveAsync(Source, cancellationToken: Token);
        var pruned = await vault.PruneAsync(new VaultPruneOptions { KeepDays = 30 }, Token);
        (pruned.Snapshots, (await vault.ListAsync(Token)).Count).Should().Be((0, 6));
        pruned.Problems.Should().ContainSingle().Which.Should().Contain("the clock may have been wrong");
        if (!isAheadForGood)
            return;
        time.Advance(TimeSpan.FromDays(1));
        await vault.SaveAsync(Source, cancellationToken: Token);
        (await vault.PruneAsync(new VaultPruneOptions { KeepDays = 30 }, Token)).Problems.Should().BeEmpty();
        (await vault.ListAsync(Token)).Should().HaveCount(2);
    }

    [Fact(Timeout = Limit)]
    public async Task A_standby_folder_does_not_go_back_while_the_destination_with_the_newest_snapshot_is_out()
    {
        var time = new ManualTimeProvider();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1])], time: time);
        Write("a.txt", "older");
        await CompletedAsync(vault.SaveAsync(Source, 2, Token), time);
        Write("a.txt", "newer");
        places[1].Failure = new IOException("out");
        await CompletedAsync(vault.SaveAsync(Source, 1, Token), time);
        places[1].Failure = null;
        var target = Path.Combine(Root, "standby");
        await using var follow = vault.FollowAsync(target, TimeSpan.FromMinutes(1), Token).GetAsyncEnumerator(Token);
        await CompletedAsync(follow.MoveNextAsync().AsTask(), time);
        places[0].Failure = new IOException("out");
        var next = follow.MoveNextAsync().AsTask();
        for (var minute = 0; minute < 3; minute++)
            await CompletedAsync(MinuteAsync(), time);
        File.ReadAllText(Path.Combine(target, "a.txt")).Should().Be("newer");
        next.IsCompleted.Should().BeFalse();
        places[0].Failure = null;
        Write("a.txt", "newest");
        await CompletedAsync(vault.SaveAsync(Source, 1, Token), time);
        await CompletedAsync(next, time);
        File.ReadAllText(Path.Combine(target, "a.txt")).Should().Be("newest");

        // A vault that was created again begins with number 1.
        foreach (var place in places)
            place.RollBack([]);
        Write("a.txt", "of the new vault");
        await CompletedAsync(vault.SaveAsync(Source, 1, Token), time);
        await CompletedAsync(follow.MoveNextAsync().AsTask(), time);
        File.ReadAllText(Path.Combine(target, "a.txt")).Should().Be("of the new vault");

        async Task<bool> MinuteAsync()
        {
            await Task.Delay(TimeSpan.FromMinutes(1), time, Token); // virtual
            return true;
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_standby_folder_that_a_killed_process_had_renamed_gets_its_name_back(bool canBeRead)
    {
        WriteSome();
        var place = new MemoryDestination();
        await using var vault = Make([("a", place)]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        var target = Path.Combine(Root, "standby");
        foreach (var (rest, content) in new[] { ("standby.partial-0a0b0c0d.old", "before"), ("standby.partial-0a0b0c0d", "half"), ("standby.partial-of-mine", "a folder of the user") })
        {
            Directory.CreateDirectory(Path.Combine(Root, rest));
            File.WriteAllText(Path.Combine(Root, rest, "file"), content);
        }
        place.Failure = canBeRead ? null : new IOException("out");
        await using (var follow = vault.FollowAsync(target, TimeSpan.FromMinutes(1), Token).GetAsyncEnumerator(Token))
        {
            if (canBeRead)
                await follow.MoveNextAsync();
            else
                await follow.Awaiting(f => f.MoveNextAsync().AsTask()).Should().ThrowAsync<VaultException>();
        }
        if (canBeRead)
            Tree(target).Should().Equal(Tree(Source));
        else
            File.ReadAllText(Path.Combine(target, "file")).Should().Be("before");
        Directory.EnumerateDirectories(Root).Select(Path.GetFileName).Should().BeEquivalentTo("source", "standby", "standby.partial-of-mine");
    }

    [Fact(Timeout = Limit)]
    public async Task A_restore_deletes_nothing_that_came_into_the_target_while_it_ran()
    {
        WriteSome();
        await using var vault = Make([("a", new MemoryDestination())]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        var target = NewTarget();
        Directory.CreateDirectory(target);
        vault.Progress = new Once(() => File.WriteAllText(Path.Combine(target, "came"), "meanwhile"));
        await vault.Awaiting(v => v.RestoreAsync("latest", target, Token)).Should().ThrowAsync<VaultException>().WithMessage("*could not be put in the place of*");
        Tree(target).Keys.Should().Equal("came");
        Directory.EnumerateDirectories(Root).Should().HaveCount(2, "nothing is left beside the target");
    }

    [Fact(Timeout = Limit)]
    public async Task A_link_is_not_saved_in_place_of_the_file_to_which_it_leads()
    {
        WriteSome();
        await using var vault = Make([("a", new MemoryDestination())]);
        await vault.Awaiting(v => v.SaveAsync(Path.Combine(Source, "link"), cancellationToken: Token)).Should().ThrowAsync<VaultException>().WithMessage("*is a link to 'folder/b.txt'*");
    }

    [Fact(Timeout = Limit)]
    public async Task Numbers_go_on_when_the_destinations_take_turns()
    {
        WriteSome();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1])]);
        await vault.SaveAsync(Source, 2, Token);
        var numbers = new List<long>();
        foreach (var (isOut, count) in new[] { (0, 3), (1, 2) })
        {
            (places[isOut].Failure, places[1 - isOut].Failure) = (new IOException("out"), null);
            for (var i = 0; i < count; i++)
            {
                Write("a.txt", $"{isOut} {i}");
                numbers.Add((await vault.SaveAsync(Source, 1, Token)).Number);
            }
        }
        numbers.Should().Equal(2, 3, 4, 5, 6);
        places[1].Failure = null;
        await RestoresAsync(vault, "latest", Tree(Source));
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rekey_deletes_an_object_only_after_its_new_copy_was_read(bool isSwallowed)
    {
        WriteSome();
        var place = new MemoryDestination();
        await using (var vault = Make([("a", place)]))
            await vault.SaveAsync(Source, cancellationToken: Token);
        var chunk = place.Objects.Keys.First(static n => n.StartsWith("c/", StringComparison.Ordinal));
        var renamed = chunk[..^1] + "2";
        if (isSwallowed)
            place.Swallows = name => name == renamed;
        else
            place.Objects[renamed] = [1, 2, 3]; // of an interrupted rekey, damaged since
        await using var rekeying = Make([("a", place)], configure: static o => (o.Keys["2"], o.ActiveKey) = (Key2, 2));
        var rekey = () => rekeying.RekeyAsync(Token);
        if (isSwallowed)
        {
            await rekey.Should().ThrowAsync<VaultException>().WithMessage("*it does not give back*");
            place.Objects.Should().ContainKey(chunk);
            place.Swallows = null;
        }
        await rekey();
        await RestoresAsync(rekeying, "latest", Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_folder_that_cannot_be_read_beside_the_objects_does_not_matter()
    {
        WriteSome();
        var folder = Path.Combine(Root, "disk");
        Directory.CreateDirectory(Path.Combine(folder, "lost+found"));
        File.WriteAllText(Path.Combine(folder, "lost+found", "x.tmp"), "not ours");
        await using var vault = Make([("a", new FolderDestination(folder))]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    private sealed class Once(Action action) : IProgress<double>
    {
        private bool _isDone;

        public void Report(double value)
        {
            if (!_isDone)
                action();
            _isDone = true;
        }
    }
}
