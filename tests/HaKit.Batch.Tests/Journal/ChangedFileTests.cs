using HaKit.Batch.Journal;
using HaKit.Batch.Stores;
using static HaKit.Batch.Tests.Journal.JournalScenario;

namespace HaKit.Batch.Tests.Journal;

/// <summary>Tests that a journal notices a change of its file by another program while it is open.</summary>
public sealed class ChangedFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit batch ").FullName;

    private string Name => Path.Combine(_folder, "my reviews.journal");

    private string FilePath => Name + ".000001";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory(Timeout = 30_000)]
    [InlineData("truncated")]
    [InlineData("emptied")]
    [InlineData("restored from a backup")]
    [InlineData("appended to")]
    public async Task A_journal_whose_file_was_changed_in_place_writes_no_more_and_keeps_what_is_left(string how)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file cannot be changed on Windows.");
        await using var store = await BatchJournal.OpenStoreAsync(Name);
        await store.AddAsync(0, 10);
        await store.FinishOneAsync();
        var backup = await ContentAsync();
        await store.FinishOneAsync();
        var content = await ContentAsync();
        await OverwriteAsync(how switch
        {
            "truncated" => content[..^5],
            "emptied" => [],
            "restored from a backup" => backup,
            _ => [.. content, .. content[64..]],
        });
        var changed = await ContentAsync();
        var finish = () => store.FinishOneAsync();
        (await finish.Should().ThrowAsync<BatchStoreException>()).WithMessage("*changed by another program*");
        (await ContentAsync()).Should().Equal(changed, "a record after a gap would make the journal unreadable");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_read_from_a_journal_that_was_cut_while_it_was_open_says_so()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file cannot be changed on Windows.");
        await using var store = await BatchJournal.OpenStoreAsync(Name);
        await store.AddAsync(0, 10);
        await store.FinishOneAsync();
        await OverwriteAsync((await ContentAsync())[..64]);
        var read = () => store.ResultsAsync();
        await read.Should().ThrowAsync<BatchStoreException>();
        var claim = async () => await store.ClaimAsync(1, mayRepeat: true);
        await claim.Should().ThrowAsync<BatchStoreException>();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_of_a_record_that_was_damaged_while_the_journal_was_open_says_so(bool isSealed)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file cannot be changed on Windows.");
        await using var store = await BatchJournal.OpenStoreAsync(Name, new BatchJournalOptions { SealKey = isSealed ? (ReadOnlyMemory<byte>?)new byte[16] : null });
        await store.AddAsync(0, 10);
        await store.FinishOneAsync();
        var content = await ContentAsync();
        content.AsSpan(64).Clear();
        await OverwriteAsync(content);
        var read = () => store.ResultsAsync();
        await read.Should().ThrowAsync<BatchStoreException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_that_is_opened_by_a_relative_path_does_not_depend_on_the_current_folder_later()
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, Name);
        await using var store = (JournalStore)await BatchJournal.OpenStoreAsync(relative);
        store.Path.Should().Be(FilePath);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_in_a_linked_folder_has_one_lock()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        var real = Directory.CreateDirectory(Path.Combine(_folder, "real"));
        var link = Directory.CreateSymbolicLink(Path.Combine(_folder, "link"), real.FullName);
        await using var store = await BatchJournal.OpenStoreAsync(Path.Combine(real.FullName, "a.journal"));
        var second = () => BatchJournal.OpenStoreAsync(Path.Combine(link.FullName, "a.journal"));
        await second.Should().ThrowAsync<BatchLockedException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_that_writes_to_the_file_of_another_through_a_link_ends_before_it_overwrites_a_record()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        await using var store = await BatchJournal.OpenStoreAsync(Name);
        await store.AddAsync(0, 10);
        File.CreateSymbolicLink(Path.Combine(_folder, "other.journal.000001"), FilePath);
        await using (var second = await BatchJournal.OpenStoreAsync(Path.Combine(_folder, "other.journal")))
        {
            (await store.FinishOneAsync()).Should().Be("item-0");
            var write = () => second.AddAsync(10, 1);
            await write.Should().ThrowAsync<BatchStoreException>();
        }
        await store.DisposeAsync();
        await using var again = await BatchJournal.OpenStoreAsync(Name);
        (await again.ResultsAsync()).Keys.Should().Equal("item-0");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    public async Task A_file_without_a_whole_header_is_refused_and_not_overwritten(int length)
    {
        await using (var store = await BatchJournal.OpenStoreAsync(Name))
            await store.AddAsync(0, 10);
        await OverwriteAsync((await ContentAsync())[..length]);
        var open = () => BatchJournal.OpenStoreAsync(Name);
        await open.Should().ThrowAsync<BatchStoreException>();
        (await ContentAsync()).Should().HaveCount(length);
    }

    private async Task<byte[]> ContentAsync()
    {
        await using var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var content = new byte[file.Length];
        await file.ReadExactlyAsync(content);
        return content;
    }

    // Another program writes without regard to the lock, as cp and rsync --inplace do.
    private async Task OverwriteAsync(byte[] content)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dd") { ArgumentList = { $"of={FilePath}", "status=none" }, RedirectStandardInput = true })!;
        await process.StandardInput.BaseStream.WriteAsync(content);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0);
    }
}
