using Microsoft.Extensions.AI;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>A fake chat client counts its calls as the other fakes do.</summary>
public sealed class FakeChatClientTests
{
    public static TheoryData<string, FakeFault> Silences() => new()
    {
        { "hang", FakeFault.Hang },
        { "silent", FakeFault.SilentAfter(0) },
        { "keep-alives", FakeFault.KeepAlivesOnly(TimeSpan.FromSeconds(1)) },
    };

    [Theory, MemberData(nameof(Silences))]
    public async Task A_silence_without_content_counts_as_failed(string name, FakeFault fault)
    {
        name.Should().NotBeEmpty();
        var fake = new FakeChatClient("a", new ManualTimeProvider());
        fake.Faults.Always(fault);
        using var leaving = new CancellationTokenSource();
        var plain = fake.GetResponseAsync([new(ChatRole.User, "x")], cancellationToken: leaving.Token);
        var streamed = fake.GetStreamingResponseAsync([new(ChatRole.User, "x")], cancellationToken: leaving.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var next = NextContentAsync(streamed);
        await leaving.CancelAsync();
        await plain.Invoking(static p => p).Should().ThrowAsync<OperationCanceledException>();
        await next.Invoking(static n => n).Should().ThrowAsync<OperationCanceledException>();
        await streamed.DisposeAsync();
        fake.Counts.Should().Match<FakeCounts>(static c => c.Failed == 2 && c.Abandoned == 0 && c.Received == 2);
    }

    [Fact]
    public async Task A_silence_after_content_counts_as_cut()
    {
        var fake = new FakeChatClient("a");
        fake.Faults.Always(FakeFault.SilentAfter(1));
        using var leaving = new CancellationTokenSource();
        var streamed = fake.GetStreamingResponseAsync([new(ChatRole.User, "one two three")], cancellationToken: leaving.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await NextContentAsync(streamed);
        var next = NextContentAsync(streamed);
        await leaving.CancelAsync();
        await next.Invoking(static n => n).Should().ThrowAsync<OperationCanceledException>();
        await streamed.DisposeAsync();
        fake.Counts.Should().Match<FakeCounts>(static c => c.Cut == 1 && c.Abandoned == 0);
    }

    [Fact]
    public async Task A_good_answer_that_the_client_leaves_counts_as_abandoned()
    {
        var fake = new FakeChatClient("a", new ManualTimeProvider());
        fake.Faults.Always(FakeFault.Latency(toHeaders: TimeSpan.FromSeconds(1)));
        using var leaving = new CancellationTokenSource();
        var plain = fake.GetResponseAsync([new(ChatRole.User, "x")], cancellationToken: leaving.Token);
        await leaving.CancelAsync();
        await plain.Invoking(static p => p).Should().ThrowAsync<OperationCanceledException>();
        fake.Counts.Abandoned.Should().Be(1);
    }

    private static async Task NextContentAsync(IAsyncEnumerator<ChatResponseUpdate> stream)
    {
        while (await stream.MoveNextAsync())
        {
            if (stream.Current.Text.Length > 0)
                return;
        }
    }
}
