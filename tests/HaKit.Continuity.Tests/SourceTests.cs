using System.Diagnostics;

namespace HaKit.Continuity.Tests;

/// <summary>Tests sources that change while they are saved, and the objects that a prune and a rekey do not touch.</summary>
public sealed class SourceTests : VaultTestBase
{
    [Fact(Timeout = Limit)]
    public async Task A_file_that_is_deleted_during_the_save_is_left_out()
    {
        WriteSome();
        await using var vault = Make([("a", new MemoryDestination())]);
        vault.Progress = new Deleting(Path.Combine(Source, "folder", "b.txt"));
        var saved = await vault.SaveAsync(Source, cancellationToken: Token);
        vault.Progress = null;
        await RestoresAsync(vault, saved.Id, Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_file_that_another_program_has_locked_is_saved_because_a_running_batch_locks_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A lock on Windows forbids reading.");
        WriteSome();
        Write("reviews.journal.lock", "held");
        await using var vault = Make([("a", new MemoryDestination())]);
        string saved;
        await using (new FileStream(Path.Combine(Source, "reviews.journal.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            saved = (await vault.SaveAsync(Source, cancellationToken: Token)).Id;
        await RestoresAsync(vault, saved, Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_name_that_is_not_text_is_refused_by_name_and_not_left_out_in_silence()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names of files are bytes on Linux only.");
        WriteSome();
        await RunInSourceAsync("touch \"$(printf 'odd\\377')\"");
        await using var vault = Make([("a", new MemoryDestination())]);
        (await vault.Invoking(v => v.SaveAsync(Source, cancellationToken: Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("odd").And.Contain("not UTF-8");
        await RunInSourceAsync("rm odd*"); // .NET cannot delete it
    }

    [Fact(Timeout = Limit)]
    public async Task A_prune_keeps_a_chunk_whose_snapshot_only_another_destination_lists()
    {
        var time = new HaKit.Testing.ManualTimeProvider();
        var (a, b) = (new MemoryDestination(), new MemoryDestination());
        await using var vault = Make([("a", a), ("b", b)], time: time);
        Write("one", "1");
        var saved = await vault.SaveAsync(Source, copies: 2, Token);
        foreach (var name in b.Objects.Keys.Where(n => n[0] == 's').ToList())
            b.Objects.TryRemove(name, out _);
        await vault.PruneAsync(new VaultPruneOptions(), Token);
        time.Advance(TimeSpan.FromHours(25));
        await vault.PruneAsync(new VaultPruneOptions(), Token);
        a.Objects[a.Objects.Keys.Single(n => n[0] == 'c')] = [0];
        await RestoresAsync(vault, saved.Id, Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_rekey_that_was_interrupted_leaves_nothing_under_the_old_key_when_it_is_run_again()
    {
        WriteSome();
        var a = new MemoryDestination();
        await using (var first = Make([("a", a)], configure: static o => (o.Keys["2"], o.ActiveKey) = (Key2, 2)))
            await first.SaveAsync(Source, cancellationToken: Token);
        var before = a.Copy();
        await using var both = Make([("a", a)], configure: static o => (o.Keys["2"], o.Keys["10"]) = (Key2, Convert.ToBase64String(new byte[32]))); // in a list, 10 stands before 2
        await both.RekeyAsync(Token);
        foreach (var (name, content) in before)
            a.Objects[name] = content; // each old object is still there, beside the new one
        await both.RekeyAsync(Token);
        a.Objects.Keys.Should().OnlyContain(n => n.EndsWith(".10", StringComparison.Ordinal));
        await RestoresAsync(both, "latest", Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_standby_whose_process_was_killed_leaves_no_rests_beside_it()
    {
        WriteSome();
        await using var vault = Make([("a", new MemoryDestination())]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        foreach (var rest in (string[])["standby.partial-0a0b0c0d", "standby.partial-0a0b0c0d.old"])
            Directory.CreateDirectory(Path.Combine(Root, rest));
        await using var follow = vault.FollowAsync(Path.Combine(Root, "standby"), TimeSpan.FromMinutes(1), Token).GetAsyncEnumerator(Token);
        (await follow.MoveNextAsync()).Should().BeTrue();
        Directory.EnumerateDirectories(Root).Select(Path.GetFileName).Should().BeEquivalentTo("source", "standby");
    }

    private async Task RunInSourceAsync(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { WorkingDirectory = Source })!;
        await shell.WaitForExitAsync(Token);
    }

    private sealed class Deleting(string file) : IProgress<double>
    {
        public void Report(double value) => File.Delete(file);
    }
}
