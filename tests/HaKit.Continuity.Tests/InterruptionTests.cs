namespace HaKit.Continuity.Tests;

/// <summary>Tests operations that run at the same time, and processes that end in the middle of an operation.</summary>
public sealed class InterruptionTests : VaultTestBase
{
    [Fact(Timeout = Limit)]
    public async Task A_save_that_runs_beside_a_prune_never_loses_a_chunk()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var turns = new Turns(seed);
            var time = new HaKit.Testing.ManualTimeProvider();
            var place = new MemoryDestination(turns.NextAsync);
            await using var vault = Make([("a", place)], configure: o => o.OperationTimeout = TimeSpan.FromDays(1), time: time);
            var source = Path.Combine(Root, "s" + seed);
            Directory.CreateDirectory(source);
            File.WriteAllText(Path.Combine(source, "x"), "content that comes, goes and comes again");
            await turns.RunAsync(time, vault.SaveAsync(source, cancellationToken: Token));
            File.WriteAllText(Path.Combine(source, "x"), "other");
            await turns.RunAsync(time, vault.SaveAsync(source, cancellationToken: Token));
            await turns.RunAsync(time, vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token)); // the first content is marked
            time.Advance(TimeSpan.FromHours(25));
            File.WriteAllText(Path.Combine(source, "x"), "content that comes, goes and comes again");
            var save = vault.SaveAsync(source, cancellationToken: Token);
            var prune = vault.PruneAsync(new VaultPruneOptions(), Token);
            await turns.RunAsync(time, save, prune);
            turns.IsOpen = true;
            var target = NewTarget();
            await vault.RestoreAsync((await save).Id, target, Token);
            Tree(target).Should().Equal(Tree(source), "seed {0}", seed);
            (await vault.CheckAsync(Token)).Findings.Where(f => f.Problem != VaultProblem.Unknown).Should().BeEmpty("seed {0}", seed);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_sync_that_runs_beside_a_prune_never_loses_a_chunk()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var turns = new Turns(seed);
            var time = new HaKit.Testing.ManualTimeProvider();
            MemoryDestination[] places = [new(turns.NextAsync), new(turns.NextAsync)];
            await using var vault = Make([("a", places[0]), ("b", places[1])], configure: o => o.OperationTimeout = TimeSpan.FromDays(1), time: time);
            var source = Path.Combine(Root, "y" + seed);
            Directory.CreateDirectory(source);
            foreach (var content in (string[])["content that comes, goes and comes again", "other"])
            {
                File.WriteAllText(Path.Combine(source, "x"), content);
                await turns.RunAsync(time, vault.SaveAsync(source, copies: 2, Token));
            }
            await turns.RunAsync(time, vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token)); // the first content is marked
            time.Advance(TimeSpan.FromHours(25));
            File.WriteAllText(Path.Combine(source, "x"), "content that comes, goes and comes again");
            var earlier = places[1].Copy();
            await turns.RunAsync(time, vault.SaveAsync(source, copies: 2, Token));
            places[1].RollBack(earlier);
            var sync = vault.SyncAsync(Token);
            var prune = vault.PruneAsync(new VaultPruneOptions(), Token);
            await turns.RunAsync(time, sync, prune);
            turns.IsOpen = true;
            await vault.SyncAsync(Token);
            await RestoresAsync(vault, "latest", Tree(source), $"seed {seed}");
            (await vault.CheckAsync(Token)).Findings.Should().BeEmpty("seed {0}", seed);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Saves_a_prune_a_sync_and_a_rekey_beside_each_other_lose_nothing()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var turns = new Turns(seed);
            var time = new HaKit.Testing.ManualTimeProvider();
            MemoryDestination[] places = [new(turns.NextAsync), new(turns.NextAsync)];
            Vault MakeAnother() => Make([("a", places[0]), ("b", places[1])], configure: o => (o.OperationTimeout, o.Keys["2"]) = (TimeSpan.FromDays(1), Key2), time: time);
            await using (var earlier = Make([("a", places[0]), ("b", places[1])], configure: o => o.OperationTimeout = TimeSpan.FromDays(1), time: time))
            {
                foreach (var content in (string[])["comes again", "other"])
                {
                    Write("x", content);
                    await turns.RunAsync(time, earlier.SaveAsync(Source, copies: 2, Token));
                }
                await turns.RunAsync(time, earlier.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token));
            }
            time.Advance(TimeSpan.FromHours(25));
            Write("x", "comes again");
            var second = Directory.CreateDirectory(Path.Combine(Root, "second" + seed)).FullName;
            File.WriteAllText(Path.Combine(second, "y"), "of the second source");
            await using (Vault one = MakeAnother(), two = MakeAnother(), three = MakeAnother())
            {
                Task<VaultSnapshot>[] saves = [one.SaveAsync(Source, copies: 2, Token), two.SaveAsync(second, copies: 2, Token)];
                var others = new Task[] { three.PruneAsync(new VaultPruneOptions(), Token), seed % 2 == 0 ? three.RekeyAsync(Token) : three.SyncAsync(Token) };
                await turns.RunAsync(time, [.. saves, .. others]);
                turns.IsOpen = true;
                await RestoresAsync(one, (await saves[0]).Id, Tree(Source), $"seed {seed}");
                await RestoresAsync(one, (await saves[1]).Id, Tree(second), $"seed {seed}");
                await one.RekeyAsync(Token);
                await one.SyncAsync(Token);
                (await one.CheckAsync(Token)).Findings.Should().BeEmpty("seed {0}", seed);
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_process_that_ends_at_any_point_of_a_save_a_sync_or_a_prune_leaves_every_listed_snapshot_whole()
    {
        var isPast = false;
        for (var point = 0; !isPast; point++)
        {
            var time = new HaKit.Testing.ManualTimeProvider();
            var (left, isDead) = (int.MaxValue, false);
            MemoryDestination[] places = [new(Count), new(Count)];
            var source = Path.Combine(Root, "s" + point);
            Directory.CreateDirectory(source);
            var states = new Dictionary<long, Dictionary<string, string>>();
            await using (var before = MakeAt(places, time))
            {
                await SaveNextAsync(before, source, states, 1);
                await SaveNextAsync(before, source, states, 2);
                await before.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
            }
            places[1].RollBack(places[1].Copy().Where(o => o.Key[0] != 's').ToDictionary());
            time.Advance(TimeSpan.FromHours(25));

            left = point;
            await using (var dying = MakeAt(places, time))
            {
                try
                {
                    await dying.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
                    if (!isDead)
                        await dying.SyncAsync(Token);
                    if (!isDead)
                        await SaveNextAsync(dying, source, states, 3);
                    isPast = !isDead;
                }
                catch (Exception e) when (e is VaultException or UnauthorizedAccessException)
                {
                }
            }

            (left, isDead) = (int.MaxValue, false);
            time.Advance(TimeSpan.FromHours(4)); // the announcements of the process have expired

            await using var after = MakeAt(places, time);
            foreach (var snapshot in await after.ListAsync(Token))
            {
                var target = NewTarget();
                await after.RestoreAsync(snapshot.Id, target, Token);
                Tree(target).Should().Equal(states[snapshot.Number], "the process ended after {0} operations", point);
            }
            await after.SyncAsync(Token);
            await after.PruneAsync(new VaultPruneOptions(), Token);
            time.Advance(TimeSpan.FromHours(25));
            await after.PruneAsync(new VaultPruneOptions(), Token);
            (await after.CheckAsync(Token)).Findings.Should().BeEmpty("the process ended after {0} operations", point);
            places[0].Objects.Keys.Should().NotContain(k => k[0] == 'm' || k[0] == 'w' || k[0] == 'i', "unlisted rests are swept");

            ValueTask Count()
            {
                isDead |= left <= 0;
                return isDead || left-- <= 0 ? throw new UnauthorizedAccessException("the process is gone") : default;
            }
        }

        static Vault MakeAt(MemoryDestination[] places, TimeProvider time) => Make([("a", places[0]), ("b", places[1])], time: time);

        async Task SaveNextAsync(Vault vault, string source, Dictionary<long, Dictionary<string, string>> states, int number)
        {
            File.WriteAllText(Path.Combine(source, "changing"), "content " + number);
            File.WriteAllText(Path.Combine(source, "steady"), "always the same");
            states[number] = Tree(source);
            await vault.SaveAsync(source, cancellationToken: Token);
        }
    }

    /// <summary>Allows one operation on a destination at a time, in an order that the seed determines.</summary>
    [Fact(Timeout = Limit)]
    public async Task Two_processes_that_create_a_vault_at_once_share_one_identity()
    {
        WriteSome();
        for (var seed = 0; seed < 60; seed++)
        {
            var turns = new Turns(seed);
            var time = new HaKit.Testing.ManualTimeProvider();
            MemoryDestination[] places = seed % 2 == 0 ? [new(turns.NextAsync)] : [new(turns.NextAsync), new(turns.NextAsync)];
            Vault MakeOne(bool isReversed)
            {
                var named = places.Select((place, i) => ($"{(char)('a' + i)}", (IVaultDestination)place));
                return Make(isReversed ? named.Reverse() : named, configure: o => o.OperationTimeout = TimeSpan.FromDays(1), time: time);
            }

            await using var first = MakeOne(isReversed: false);
            await using var second = MakeOne(isReversed: true);
            var (one, other) = (first.SaveAsync(Source, places.Length, Token), second.SaveAsync(Source, places.Length, Token));
            await turns.RunAsync(time, one, other);
            turns.IsOpen = true;
            await using var third = MakeOne(isReversed: false);
            foreach (var saved in new[] { await one, await other })
                await RestoresAsync(third, saved.Id, Tree(Source), $"seed {seed}");
            (await third.CheckAsync(Token)).Findings.Should().BeEmpty("seed {0}", seed);
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData(15)]
    [InlineData(119)]
    [InlineData(-119)]
    public async Task A_save_waits_for_the_sweep_of_a_machine_whose_clock_differs(int minutes)
    {
        var (mine, theirs) = (new HaKit.Testing.ManualTimeProvider(), new HaKit.Testing.ManualTimeProvider());
        theirs.Advance(TimeSpan.FromHours(3));
        mine.Advance(TimeSpan.FromHours(3) + TimeSpan.FromMinutes(minutes));
        var place = new MemoryDestination();
        await using var pruning = Make([("a", place)], time: theirs);
        await using var saving = Make([("a", place)], time: mine);
        foreach (var content in (string[])["content that comes, goes and comes again", "other"])
        {
            Write("x", content);
            await pruning.SaveAsync(Source, cancellationToken: Token);
        }
        await pruning.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
        foreach (var clock in (HaKit.Testing.ManualTimeProvider[])[mine, theirs])
            clock.Advance(TimeSpan.FromHours(25));
        Write("x", "content that comes, goes and comes again");
        Task<VaultSnapshot>? save = null;
        // The save begins between the sweep's marker and its first deletion.
        place.Trouble = operation =>
        {
            if (save is null && operation.StartsWith("delete c/", StringComparison.Ordinal))
            {
                save = saving.SaveAsync(Source, cancellationToken: Token);
                SpinWait.SpinUntil(() => save.IsCompleted || mine.UntilNextTimer <= TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
                save.IsCompleted.Should().BeFalse("it waits for the sweep");
            }
            return null;
        };
        await pruning.PruneAsync(new VaultPruneOptions(), Token);
        save.Should().NotBeNull("the sweep deletes the chunk of the first snapshot");
        await RestoresAsync(saving, (await CompletedAsync(save!, mine)).Id, Tree(Source));
    }

    private sealed class Turns(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly List<TaskCompletionSource> _waiting = [];

        public bool IsOpen { get; set; }

        public ValueTask NextAsync()
        {
            if (IsOpen)
                return default;
            var turn = new TaskCompletionSource();
            lock (_waiting)
                _waiting.Add(turn);
            return new(turn.Task);
        }

        public async Task RunAsync(HaKit.Testing.ManualTimeProvider time, params Task[] work)
        {
            var idle = 0;
            while (!work.All(w => w.IsCompleted))
            {
                TaskCompletionSource? next = null;
                lock (_waiting)
                {
                    if (_waiting.Count > 0)
                    {
                        next = _waiting[_random.Next(_waiting.Count)];
                        _waiting.Remove(next);
                    }
                }

                idle = next is null ? idle + 1 : 0;
                if (next is not null)
                    next.SetResult();
                else if (time.UntilNextTimer is { } until && until <= TimeSpan.FromSeconds(5) && (work.Count(w => !w.IsCompleted) == 1 || idle > 2000))
                    time.Advance(until); // each operation waits for a sweep that another operation announced
                else
                    await Task.Yield();
            }
            await Task.WhenAll(work);
        }
    }
}
