using HaKit.AI;
using HaKit.Batch;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.PostgreSql.Tests;

/// <summary>The code of the page on batches.</summary>
[Collection(nameof(PostgreSqlServer))]
public sealed class BatchSnippets(PostgreSqlServer server)
{
    private sealed record Review(string Id, string Text);

    private static readonly Review[] reviews = [.. Enumerable.Range(0, 20).Select(i => new Review($"r-{i}", $"review {i}"))];

    private static EndpointPoolChatClient Chat()
    {
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false } };
        options.AddEndpoint("main", new FakeChatClient("main"));
        return new EndpointPool("chat", options).AsChatClient();
    }

    [Fact(Timeout = 120_000)]
    public async Task The_first_screen()
    {
        var token = TestContext.Current.CancellationToken;
        var chat = Chat();
        var before = Environment.CurrentDirectory;
        var folder = Directory.CreateTempSubdirectory("hakit-batch-");
        Environment.CurrentDirectory = folder.FullName;
        try
        {
            await using var batch = await BatchJournal.OpenAsync<Review>("reviews.journal"); // or PostgreSqlBatchStore.OpenAsync<Review>(dataSource, "reviews")
            await batch.AddAsync(reviews, r => r.Id);                                         // the same id and input twice: once
            await foreach (var done in chat.RunBatchAsync(batch, r => [new(ChatRole.User, r.Text)], token))
                Console.WriteLine($"{done.Id} by {done.Endpoint}; {batch.Progress}");         // 41.2 %, 38/s, 3 failed, 14 min left, 12.40 $
            batch.Progress.Share.Should().Be(1);
        }
        finally
        {
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_database()
    {
        await using var dataSource = await server.NewDatabaseAsync();
        var chat = Chat();
        await using var batch = await PostgreSqlBatchStore.OpenAsync<Review>(dataSource, "reviews");
        await batch.AddAsync(reviews, r => r.Id);
        var results = await chat.RunBatchAsync(batch, r => [new(ChatRole.User, r.Text)], CancellationToken.None).ToListAsync();
        results.Should().HaveCount(20).And.OnlyContain(r => r.Result!.Text == FakeAnswers.AnswerTo(r.Item.Text, null));
        var again = await chat.RunBatchAsync(batch, r => [new(ChatRole.User, r.Text)], CancellationToken.None).ToListAsync();
        again.Should().HaveCount(20).And.OnlyContain(r => r.IsEarlier);
        batch.Progress.Counts.Calls.Should().Be(20);
    }
}
