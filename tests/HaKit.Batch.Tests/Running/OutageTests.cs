using HaKit.Batch.Stores;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

public sealed class OutageTests
{
    [Fact(Timeout = 120_000)]
    public void An_outage_of_a_minute_refuses_no_user_fails_no_item_and_sends_few_calls()
    {
        using var world = new BatchWorld(configure: static o => o.MaxWaitingCalls = 200);
        foreach (var client in world.Clients)
            client.Faults.During(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(65), FakeFault.Refused);
        var batch = world.Open();
        world.Add(batch, Reviews(5000));
        var (refused, served) = (0, 0);
        var duringOutage = 0;
        var mostWaiting = 0;
        var results = world.Time.Run(async () =>
        {
            var run = world.RunAsync(batch, new ChatBatchOptions { MaxConcurrency = 20 });
            var users = Enumerable.Range(0, 100).Select(UserAsync).ToArray();
            var look = LookAsync(run);
            await Task.WhenAll(users).ConfigureAwait(false);
            await look.ConfigureAwait(false);
            return await run.ConfigureAwait(false);
        });
        (served, refused).Should().Be((100, 0));
        results.Should().HaveCount(5000).And.OnlyContain(r => r.State == BatchItemState.Succeeded);
        mostWaiting.Should().BeLessThanOrEqualTo(101, "of the batch one call waits beside the users'");
        // Promise 3: at most 10 % more attempts than calls, or a dozen attempts and one for each second, whichever is more.
        (world.Calls - 5100).Should().BeLessThanOrEqualTo(510);
        duringOutage.Should().BeLessThanOrEqualTo(12 + 60 + 3 * 20, "what was under way when the outage began may try each endpoint once");

        async Task UserAsync(int number)
        {
            await DelayAsync(world.Time, TimeSpan.FromSeconds(0.7 * number)).ConfigureAwait(false);
            try
            {
                await world.Chat.GetResponseAsync([new(ChatRole.User, $"user {number}")]).ConfigureAwait(false);
                served++;
            }
            catch (EndpointPoolException)
            {
                refused++;
            }
        }

        int OfTheBatch() => world.Clients.Sum(static c => c.Requests.Count(static r => r.Prompt.StartsWith("review", StringComparison.Ordinal)));

        async Task LookAsync(Task run)
        {
            var before = 0;
            for (var second = 0; second < 66; second++)
            {
                await DelayAsync(world.Time, TimeSpan.FromSeconds(1)).ConfigureAwait(false);
                if (second == 4)
                    before = OfTheBatch();
                if (second == 63)
                    duringOutage = OfTheBatch() - before;
                if (second > 5)
                    mostWaiting = Math.Max(mostWaiting, world.Pool.GetStatus().Waiting);
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public void Progress_tells_of_an_outage_and_of_no_time_that_it_cannot_know()
    {
        using var world = new BatchWorld(endpoints: 1);
        world.Clients[0].Faults.During(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60), FakeFault.Refused);
        var batch = world.Open();
        world.Add(batch, Reviews(2000));
        var lines = new List<string>();
        world.Time.Run(async () =>
        {
            var run = world.RunAsync(batch, new ChatBatchOptions { MaxConcurrency = 5 });
            await DelayAsync(world.Time, TimeSpan.FromSeconds(4)).ConfigureAwait(false);
            lines.Add(batch.Progress.ToString());
            await DelayAsync(world.Time, TimeSpan.FromSeconds(46)).ConfigureAwait(false);
            lines.Add(batch.Progress.ToString());
            await run.ConfigureAwait(false);
            lines.Add(batch.Progress.ToString());
        });
        lines[0].Should().MatchRegex(@"^\d+\.\d %, \d+/s, \d+ s left$");
        lines[1].Should().MatchRegex(@"^\d+\.\d %, \d+(\.\d)?/s, no endpoint has served for 4\d s$");
        lines[2].Should().StartWith("100.0 %");
    }

    [Fact(Timeout = 60_000)]
    public void What_time_does_not_heal_ends_the_run_with_the_reason_and_no_item_fails()
    {
        using var world = new BatchWorld();
        foreach (var client in world.Clients)
            client.Faults.Always(FakeFaults.OpenAI.BadKey());
        var batch = world.Open();
        world.Add(batch, Reviews(100));
        var run = () => world.Run(batch);
        run.Should().Throw<NoEndpointAvailableException>().Which.WaitRules[^1].Should().Be(WaitRule.TimeDoesNotHeal);
        var counts = world.Counts(batch);
        (counts.Finished, counts.UnderWay).Should().Be((0, 0));
        world.Calls.Should().BeLessThan(60);
        foreach (var client in world.Clients)
            client.Faults.Clear();
        using var mended = new BatchWorld { Files = world.Files.Kill() };
        mended.Run(mended.Open()).Should().HaveCount(100).And.OnlyContain(r => r.State == BatchItemState.Succeeded);
    }

    [Fact(Timeout = 60_000)]
    public void Limits_of_the_endpoints_are_used_in_full_without_any_setting()
    {
        using var world = new BatchWorld(configure: static o =>
        {
            foreach (var endpoint in o.Endpoints)
                endpoint.Limits = new() { MaxConcurrency = 10 };
        });
        var batch = world.Open();
        world.Add(batch, Reviews(3000));
        world.Run(batch).Should().OnlyContain(r => r.State == BatchItemState.Succeeded);
        world.Time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(15), "30 places and 100 ms for a call are 300 items a second, so 10 s at best");
        world.Calls.Should().Be(3000);
    }

    [Fact(Timeout = 60_000)]
    public void Users_wait_for_one_place_at_most_beside_a_batch_that_uses_all_of_them()
    {
        using var world = new BatchWorld(endpoints: 1, configure: static o => o.Endpoints[0].Limits = new() { MaxConcurrency = 4 });
        var batch = world.Open();
        world.Add(batch, Reviews(1000));
        var longest = TimeSpan.Zero;
        world.Time.Run(async () =>
        {
            var run = world.RunAsync(batch);
            for (var user = 0; user < 20; user++)
            {
                await DelayAsync(world.Time, TimeSpan.FromSeconds(0.37)).ConfigureAwait(false);
                var began = world.Time.Elapsed;
                await world.Chat.GetResponseAsync([new(ChatRole.User, "a user's question")]).ConfigureAwait(false);
                longest = longest > world.Time.Elapsed - began ? longest : world.Time.Elapsed - began;
            }
            (await run.ConfigureAwait(false)).Should().HaveCount(1000);
        });
        longest.Should().BeLessThanOrEqualTo(TimeSpan.FromMilliseconds(250), "a place comes free within 100 ms, and the call takes 100 ms");
    }

    [Fact(Timeout = 60_000)]
    public void Without_limits_the_batch_finds_how_many_calls_at_once_are_useful()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(3000));
        world.Run(batch).Should().OnlyContain(r => r.State == BatchItemState.Succeeded);
        world.Time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(5));
    }

    private static async Task DelayAsync(TimeProvider time, TimeSpan span)
    {
        if (span <= TimeSpan.Zero)
            return;
        var done = new TaskCompletionSource();
        await using var timer = time.CreateTimer(_ => done.TrySetResult(), null, span, Timeout.InfiniteTimeSpan);
        await done.Task.ConfigureAwait(false);
    }
}
