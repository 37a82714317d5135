using System.Text;
using HaKit.Batch.Journal;
using HaKit.Batch.Stores;
using HaKit.Testing;

namespace HaKit.Batch.Tests.Journal;

/// <summary>Holds journals in memory, with one method for each step of a test.</summary>
internal static class JournalScenario
{
    public const string Name = "/disk/reviews.journal";
    public const string FirstFile = Name + ".000001";

    public static JournalStore Open(IJournalFileSystem files, byte[]? key = null, bool create = true) =>
        JournalOpener.Open(Name, new JournalSettings(files, key is null ? null : new JournalSeal(key), new ManualTimeProvider(), OwnThread: false), create);

    public static BatchInput Input(int number, string text = "input") => new($"item-{number}", Encoding.UTF8.GetBytes($"{text} {number}"));

    public static BatchOutcome Outcome(string result, BatchItemState state = BatchItemState.Succeeded, double cost = 0.5) => new()
    {
        State = state,
        Request = RequestFingerprint.Compute(Encoding.UTF8.GetBytes(result)),
        Result = Encoding.UTF8.GetBytes(result),
        Endpoint = "main",
        Attempts = 1,
        Cost = cost,
        InputTokens = 7,
        OutputTokens = 11,
        At = new DateTimeOffset(2026, 11, 28, 12, 0, 0, TimeSpan.Zero),
    };

    public static async Task AddAsync(this IBatchStore store, int from, int count, string text = "input") =>
        await store.AddAsync([.. Enumerable.Range(from, count).Select(i => Input(i, text))], replaceChanged: false);

    /// <summary>Claims one item and stores its outcome. Returns its id.</summary>
    public static async Task<string> FinishOneAsync(this IBatchStore store, string result = "result of ")
    {
        var claim = (await store.ClaimAsync(1, mayRepeat: true)).Single();
        await store.StartAsync(claim, new BatchStart(0.25, null, true));
        (await store.CommitAsync(claim, Outcome(result + claim.Id))).Should().BeTrue();
        return claim.Id;
    }

    public static async Task<Dictionary<string, string>> ResultsAsync(this IBatchStore store)
    {
        var results = new Dictionary<string, string>();
        await foreach (var stored in store.ReadFinishedAsync(BatchContent.All))
            results.Add(stored.Id, Encoding.UTF8.GetString(stored.Outcome.Result.Span));
        return results;
    }

    public static async Task FinishRestAsync(this IBatchStore store)
    {
        while (await store.ClaimAsync(1, mayRepeat: true) is [var claim])
            await store.CommitAsync(claim, Outcome("result of " + claim.Id));
    }
}
