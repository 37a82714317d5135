using System.Diagnostics;
using HaKit.Batch.Stores;
using static HaKit.Batch.Tests.Journal.JournalScenario;

namespace HaKit.Batch.Tests.Journal;

/// <summary>Tests journals on the disk of this machine.</summary>
public sealed class DiskJournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-batch-").FullName;

    private string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 60_000)]
    public async Task Many_outcomes_at_once_share_the_fsyncs_and_are_all_there_after_a_reopening()
    {
        var path = PathOf("reviews.journal");
        await using (var store = await BatchJournal.OpenStoreAsync(path))
        {
            await store.AddAsync(0, 2000);
            var claims = await store.ClaimAsync(2000, mayRepeat: true);
            await Task.WhenAll(claims.Select(c => store.CommitAsync(c, Outcome("result of " + c.Id)).AsTask()));
        }
        await using var again = await BatchJournal.OpenExistingStoreAsync(path);
        (await again.ResultsAsync()).Should().HaveCount(2000).And.OnlyContain(r => r.Value == "result of " + r.Key);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_copy_that_is_taken_while_a_batch_runs_is_a_journal_with_every_result_before_it()
    {
        var path = PathOf("reviews.journal");
        await using var store = await BatchJournal.OpenStoreAsync(path);
        await store.AddAsync(0, 2000);
        var claims = await store.ClaimAsync(2000, mayRepeat: true);
        var done = 0;
        var commits = Task.WhenAll(claims.Select(async c =>
        {
            await store.CommitAsync(c, Outcome("result of " + c.Id));
            Interlocked.Increment(ref done);
        }));
        for (var copy = 0; copy < 5; copy++)
        {
            var before = Volatile.Read(ref done);
            var name = PathOf($"backup{copy}.journal");
            File.Copy(path + ".000001", name + ".000001");
            await using var opened = await BatchJournal.OpenExistingStoreAsync(name);
            var results = await opened.ResultsAsync();
            results.Where(r => r.Value != "result of " + r.Key).Should().BeEmpty();
            results.Should().HaveCountGreaterThanOrEqualTo(before);
            await Task.WhenAny(commits, Task.Run(() => SpinWait.SpinUntil(() => Volatile.Read(ref done) > before)));
        }
        await commits;
    }

    [Fact(Timeout = 60_000)]
    public async Task Files_are_for_their_owner_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Modes are for Unix.");
        await using (var store = await BatchJournal.OpenStoreAsync(PathOf("reviews.journal")))
            await store.AddAsync(0, 1);
        var files = Directory.GetFiles(_folder);
        files.Select(Path.GetFileName).Should().BeEquivalentTo("reviews.journal.000001", "reviews.journal.lock", "reviews.journal.owner");
#pragma warning disable CA1416 // skipped on Windows
        files.Should().OnlyContain(f => File.GetUnixFileMode(f) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
#pragma warning restore CA1416
    }

    [Fact(Timeout = 60_000)]
    public async Task A_second_opening_is_refused_and_works_once_the_first_is_closed()
    {
        var path = PathOf("reviews.journal");
        var first = await BatchJournal.OpenStoreAsync(path);
        var second = () => BatchJournal.OpenStoreAsync(path);
        await second.Should().ThrowAsync<BatchLockedException>().WithMessage($"*process {Environment.ProcessId} on {Environment.MachineName}*");
        await first.DisposeAsync();
        await (await second()).DisposeAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_lock_file_that_is_deleted_while_the_batch_runs_ends_the_journal()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file cannot be deleted on Windows.");
        var path = PathOf("reviews.journal");
        await using var store = await BatchJournal.OpenStoreAsync(path);
        await store.AddAsync(0, 1);
        File.Delete(path + ".lock");
        var add = () => store.AddAsync(1, 1);
        await add.Should().ThrowAsync<BatchLockedException>();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_journal_that_is_not_there_is_not_made_by_tools_that_only_look()
    {
        var open = () => BatchJournal.OpenExistingStoreAsync(PathOf("missing.journal"));
        await open.Should().ThrowAsync<BatchStoreException>().WithMessage("There is no journal*");
        Directory.GetFiles(_folder).Should().BeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_folder_that_is_not_there_is_said()
    {
        var open = () => BatchJournal.OpenStoreAsync(PathOf("missing/reviews.journal"));
        await open.Should().ThrowAsync<BatchStoreException>().WithMessage("*its folder does not exist. Create the folder first*");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_full_disk_ends_the_journal_loses_nothing_and_is_healed_by_room()
    {
        await using var disk = await SmallDisk.MountAsync(PathOf("disk"), "size=64k");
        var path = PathOf("disk/reviews.journal");
        var finished = new List<string>();
        var store = await BatchJournal.OpenStoreAsync(path);
        await store.AddAsync(0, 100);
        var fill = async () =>
        {
            while (true)
                finished.Add(await store.FinishOneAsync(new string('x', 2000)));
        };
        (await fill.Should().ThrowAsync<BatchStoreException>()).WithMessage("*could not be written and is closed*Results that were returned are stored*");
        await store.DisposeAsync();
        finished.Should().HaveCountGreaterThan(10);
        await disk.RemountAsync("size=1m");
        await using var again = await BatchJournal.OpenStoreAsync(path);
        (await again.ResultsAsync()).Keys.Should().BeEquivalentTo(finished);
        await again.FinishRestAsync();
        (await again.CountAsync()).Succeeded.Should().Be(100);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_disk_that_is_read_only_is_refused_clearly()
    {
        await using var disk = await SmallDisk.MountAsync(PathOf("disk"), "size=64k");
        var path = PathOf("disk/reviews.journal");
        await (await BatchJournal.OpenStoreAsync(path)).DisposeAsync();
        await disk.RemountAsync("ro");
        var open = () => BatchJournal.OpenStoreAsync(path);
        await open.Should().ThrowAsync<BatchStoreException>().WithMessage("The journal '*' cannot be opened for writing: Read-only file system*");
    }

    /// <summary>Mounts a file system in the memory of the kernel, if the user may mount file systems.</summary>
    private sealed class SmallDisk(string folder) : IAsyncDisposable
    {
        public static async Task<SmallDisk> MountAsync(string folder, string options)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Mounting a small disk needs root on Linux.");
            Directory.CreateDirectory(folder);
            Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder) == 0, "This machine mounts no tmpfs.");
            return new SmallDisk(folder);
        }

        public async Task RemountAsync(string options) => (await RunAsync("mount", "-o", "remount," + options, folder)).Should().Be(0);

        public async ValueTask DisposeAsync() => await RunAsync("umount", "-l", folder);

        private static async Task<int> RunAsync(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return process.ExitCode;
        }
    }
}
