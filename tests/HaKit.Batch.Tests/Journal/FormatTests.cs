using System.Text;
using HaKit.Batch.Stores;
using static HaKit.Batch.Tests.Journal.JournalScenario;

namespace HaKit.Batch.Tests.Journal;

/// <summary>Reads files of each released format. A fixture is never changed, because files of users have this form.</summary>
public sealed class FormatTests
{
    private static readonly byte[] Key = "a key of 24 bytes or more"u8.ToArray();

    [Theory(Timeout = 60_000)]
    [InlineData("format-1.journal", false)]
    [InlineData("format-1-sealed.journal", true)]
    public async Task A_file_of_the_first_format_is_read_and_written_on(string name, bool isSealed)
    {
        var files = new MemoryFileSystem();
        var path = Path.Combine(Folder(), name);
        if (Environment.GetEnvironmentVariable("HAKIT_APPROVE") == "1" && !File.Exists(path))
            await WriteAsync(path, isSealed);
        files.SetContent(FirstFile, await File.ReadAllBytesAsync(path));
        await using var store = Open(files, isSealed ? Key : null);
        (await store.ResultsAsync()).Should().BeEquivalentTo(new Dictionary<string, string> { ["item-0"] = "result of item-0", ["item-2"] = "result of item-2", ["item-1"] = "" });
        var counts = await store.CountAsync();
        (counts.Total, counts.Succeeded, counts.Failed, counts.LostCalls).Should().Be((5, 2, 1, 1));
        var claims = await store.ClaimAsync(9, mayRepeat: true);
        claims.Select(c => c.Id + ": " + Encoding.UTF8.GetString(c.Input.Span)).Should().Equal("item-3: input 3", "item-4: new 4");
        await store.CommitAsync(claims[0], Outcome("more"));
        (await store.CountAsync()).Succeeded.Should().Be(3);
    }

    private static async Task WriteAsync(string path, bool isSealed)
    {
        var files = new MemoryFileSystem();
        var store = Open(files, isSealed ? Key : null);
        await store.AddAsync(0, 5);
        await store.FinishOneAsync();
        var second = (await store.ClaimAsync(1, mayRepeat: true)).Single();
        await store.CommitAsync(second, Outcome("", BatchItemState.Failed) with { Error = "ContentFilter (400)" });
        await store.FinishOneAsync();
        await store.RedoAsync([(await store.ReadFinishedAsync(BatchContent.Outcome).ToListAsync())[0]]);
        await store.FinishOneAsync();
        await store.AddAsync([Input(4, "new")], replaceChanged: true);
        var lost = (await store.ClaimAsync(1, mayRepeat: true)).Single();
        await store.StartAsync(lost, new BatchStart(1, MaxCost: 100, MayRepeat: true));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, files.ContentOf(FirstFile));
    }

    private static string Folder() => Path.Combine(AppContext.BaseDirectory, "Journal", "fixtures");
}
