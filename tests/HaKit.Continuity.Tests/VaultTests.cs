using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Continuity.Tests;

public sealed class VaultTests : IDisposable
{
    private const int Limit = 120_000;

    private static readonly string Key1 = Convert.ToBase64String(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());
    private static readonly string Key2 = Convert.ToBase64String(Enumerable.Range(101, 32).Select(i => (byte)i).ToArray());

    private readonly string _folder = Directory.CreateTempSubdirectory("vault-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Source => Path.Combine(_folder, "source");

    private string NewTarget() => Path.Combine(_folder, "target-" + Guid.NewGuid().ToString("n"));

    private static Vault Make(IEnumerable<(string Name, IVaultDestination Destination)> destinations, string? key = null, Action<VaultOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new VaultOptions { OperationTimeout = TimeSpan.FromSeconds(2) };
        options.Keys["1"] = key ?? Key1;
        foreach (var (name, destination) in destinations)
            options.Destinations.Add(new VaultDestinationOptions { Name = name }.Use(destination));
        configure?.Invoke(options);
        return Vault.Create("state", options, time: time);
    }

    private void Write(string path, string content)
    {
        var file = Path.Combine(Source, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    private void WriteSome()
    {
        Write("a.txt", "first");
        Write("folder/b.txt", string.Concat(Enumerable.Repeat("second ", 1000)));
        Write("folder/deep/ünïcode.txt", "third");
        Write("empty", "");
        Directory.CreateDirectory(Path.Combine(Source, "hollow"));
        File.CreateSymbolicLink(Path.Combine(Source, "link"), "folder/b.txt");
    }

    private static Dictionary<string, string> Tree(string folder) => Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(p => Path.GetRelativePath(folder, p), p => new FileInfo(p).LinkTarget is { } link ? "→" + link : Directory.Exists(p) ? "/" : Convert.ToHexString(File.ReadAllBytes(p)));

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
        var place = Path.Combine(_folder, "place");
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
    public async Task Every_flipped_byte_of_a_small_vault_is_found_by_name()
    {
        Write("a", "content of the only file");
        var (a, b) = (new MemoryDestination(), new MemoryDestination());
        await using var vault = Make([("a", a), ("b", b)]);
        await vault.SaveAsync(Source, copies: 2, Token);
        foreach (var (name, good) in a.Copy())
        {
            for (var i = 0; i < good.Length; i++)
            {
                var bad = good.ToArray();
                bad[i] ^= 0x5A;
                a.Objects[name] = bad;
                var report = await vault.CheckAsync(Token);
                report.Findings.Should().Contain(f => f.Destination == "a" && (f.ObjectName == name || name[0] == 'k'), "byte {0} of {1} was flipped", i, name);
                a.Objects[name] = good;
            }
        }

        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Every_truncation_is_found_and_a_good_copy_restores()
    {
        WriteSome();
        var (a, b) = (new MemoryDestination(), new MemoryDestination());
        await using var vault = Make([("a", a), ("b", b)]);
        var saved = await vault.SaveAsync(Source, copies: 2, Token);
        foreach (var (name, good) in a.Copy().Where(o => o.Key[0] is 'c' or 's'))
        {
            a.Objects[name] = good[..(good.Length / 2)];
            (await vault.CheckAsync(Token)).Findings.Should().Contain(f => f.ObjectName == name && f.Problem == VaultProblem.Damaged);
            var target = NewTarget();
            await vault.RestoreAsync(saved.Id, target, Token);
            Tree(target).Should().Equal(Tree(Source));
            b.Objects[name] = good[..^1];
            (await vault.Invoking(v => v.RestoreAsync(saved.Id, NewTarget(), Token)).Should().ThrowAsync<VaultObjectException>()).Which.ObjectName.Should().StartWith(name[..66]);
            b.Objects[name] = good;
            var repaired = await vault.SyncAsync(Token);
            (repaired.Chunks + repaired.Snapshots).Should().Be(1);
            (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData("down")]
    [InlineData("full")]
    [InlineData("emptied")]
    public async Task A_destination_in_trouble_is_named_and_a_sync_completes_it(string trouble)
    {
        WriteSome();
        MemoryDestination[] places = [new(), new(), new()];
        await using var vault = Make([("a", places[0]), ("b", places[1]), ("c", places[2])]);
        await vault.SaveAsync(Source, copies: 3, Token);
        foreach (var bad in places)
        {
            Write("more-" + Array.IndexOf(places, bad), "new");
            bad.Failure = trouble == "down" ? new IOException("gone") : null;
            bad.Room = trouble == "full" ? 0 : null;
            if (trouble == "emptied")
                bad.RollBack([]);
            var saved = await vault.SaveAsync(Source, copies: 2, Token);
            if (trouble != "emptied")
                saved.Missed.Keys.Should().Equal("abc"[Array.IndexOf(places, bad)].ToString());
            var target = NewTarget();
            await vault.RestoreAsync(saved.Id, target, Token);
            Tree(target).Should().Equal(Tree(Source));
            (await vault.CheckAsync(Token)).IsGood.Should().BeFalse();
            bad.Failure = null;
            bad.Room = null;
            await vault.SyncAsync(Token);
            (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        }
        var all = await vault.Invoking(v => v.SaveAsync(Source, copies: 4, Token)).Should().ThrowAsync<VaultException>();
        all.Which.Message.Should().Contain("4 copies");
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
        await using var vault = Make([("a", a)], configure: o => o.StateFile = Path.Combine(_folder, "state.json"));
        Write("one", "1");
        await vault.SaveAsync(Source, cancellationToken: Token);
        var earlier = a.Copy();
        Write("two", "2");
        await vault.SaveAsync(Source, cancellationToken: Token);
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        a.RollBack(earlier);
        (await vault.CheckAsync(Token)).Findings.Should().ContainSingle().Which.Problem.Should().Be(VaultProblem.RolledBack);
        (await vault.SaveAsync(Source, cancellationToken: Token)).Number.Should().Be(3, "a number is never used twice");
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

    [Fact(Timeout = Limit)]
    public async Task A_destination_shows_no_name_no_content_and_no_key()
    {
        Write("planted-name.txt", "planted-content");
        var place = Path.Combine(_folder, "place");
        await using var vault = Make([("a", new FolderDestination(place))]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        foreach (var file in Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories))
        {
            var bytes = File.ReadAllBytes(file);
            foreach (var planted in new[] { Encoding.UTF8.GetBytes("planted"), Encoding.UTF8.GetBytes(Key1), Convert.FromBase64String(Key1), Encoding.UTF8.GetBytes("source") })
            {
                bytes.AsSpan().IndexOf(planted).Should().Be(-1);
                file.Should().NotContain("planted");
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task An_independent_reader_restores_what_was_saved()
    {
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(Python) && Run(Python, ["-c", "import cryptography, brotli"]) == 0, "needs Debian's python3 with python3-cryptography and python3-brotli");
        WriteSome();
        var place = Path.Combine(_folder, "place");
        await using var vault = Make([("a", new FolderDestination(place))]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        var target = NewTarget();
        Run(Python, [Path.Combine(AppContext.BaseDirectory, "read_vault.py"), place, Key1, target]).Should().Be(0);
        Tree(target).Should().Equal(Tree(Source));
    }

    private static int Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    [Fact(Timeout = Limit)]
    public async Task A_save_that_runs_beside_a_prune_never_loses_a_chunk()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var turns = new Turns(seed);
            var time = new HaKit.Testing.ManualTimeProvider();
            var place = new MemoryDestination(turns.NextAsync);
            await using var vault = Make([("a", place)], configure: o => o.OperationTimeout = TimeSpan.FromDays(1), time: time);
            var source = Path.Combine(_folder, "s" + seed);
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
    public async Task A_process_that_ends_at_any_point_of_a_save_a_sync_or_a_prune_leaves_every_listed_snapshot_whole()
    {
        var isPast = false;
        for (var point = 0; !isPast; point++)
        {
            var time = new HaKit.Testing.ManualTimeProvider();
            var (left, isDead) = (int.MaxValue, false);
            MemoryDestination[] places = [new(Count), new(Count)];
            var source = Path.Combine(_folder, "s" + point);
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
            time.Advance(TimeSpan.FromHours(4)); // what the process announced has lapsed

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

    /// <summary>Lets one operation on a destination go at a time, in an order that the seed decides.</summary>
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

                if (next is not null)
                    next.SetResult();
                else if (time.UntilNextTimer is { } until && until <= TimeSpan.FromSeconds(5) && work.Count(w => !w.IsCompleted) == 1)
                    time.Advance(until);
                else
                    await Task.Yield();
            }
            await Task.WhenAll(work);
        }
    }
}
