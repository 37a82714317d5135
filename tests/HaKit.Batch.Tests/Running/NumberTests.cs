using HaKit.AI;
using HaKit.Testing;
using HaKit.Tests.Options;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

/// <summary>
/// Each extreme number in the options of a run is refused by name, or every item gets its result with it, unless a limit of the run ends the run. The numbers
/// are found by reflection.
/// </summary>
public sealed class NumberTests
{
    private const int Items = 12;

    // The numbers of a profile are tested with the pool.
    public static TheoryData<string> OfChat => NamesOf(new ChatBatchOptions());

    public static TheoryData<string> OfEmbeddings => NamesOf(new EmbeddingBatchOptions());

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfChat))]
    public async Task A_batch_of_chats_refuses_an_extreme_number_by_name_or_runs(string name)
    {
        await Task.CompletedTask;
        Check<ChatBatchOptions>(name, static (world, batch, options) => world.Run(batch, options).Count);
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfEmbeddings))]
    public async Task A_batch_of_embeddings_refuses_an_extreme_number_by_name_or_runs(string name)
    {
        await Task.CompletedTask;
        Check<EmbeddingBatchOptions>(name, static (world, batch, options) =>
        {
            var endpoints = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            for (var i = 0; i < 2; i++)
                endpoints.AddEndpoint($"e{i}", new FakeEmbeddingGenerator($"e{i}", world.Time, i), static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1, 1));
            using var pool = new EndpointPool("vectors", endpoints, new EndpointPoolParts { TimeProvider = world.Time });
            var count = 0;
            world.Time.Run(async () =>
            {
                await foreach (var result in pool.AsEmbeddingGenerator(static o => o.MaxBatchSize = int.MaxValue).RunBatchAsync(batch, static r => r.Text, options).ConfigureAwait(false))
                    count += result.State == Stores.BatchItemState.Succeeded ? 1 : 0;
            });
            return count;
        });
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_stops_at_any_time()
    {
        await Task.CompletedTask;
        foreach (var (stopAt, count) in new[] { (DateTimeOffset.MinValue, 0), (DateTimeOffset.UnixEpoch, 0), (DateTimeOffset.MaxValue, Items) })
        {
            using var world = new BatchWorld();
            var batch = world.Open();
            world.Add(batch, Reviews(Items));
            var run = () => world.Run(batch, new ChatBatchOptions { StopAt = stopAt });
            if (count == 0)
                run.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.StopAt);
            else
                run().Should().HaveCount(count);
        }
    }

    private static TheoryData<string> NamesOf(BatchRunOptions options) => [.. NumberSetting.FindAll(options).Select(static s => s.Path).Where(static p => !p.StartsWith("Profile:", StringComparison.Ordinal))];

    private static void Check<T>(string name, Func<BatchWorld, Batch<Review>, T, int> run)
        where T : BatchRunOptions, new()
    {
        var setting = NumberSetting.FindAll(new T()).Single(s => s.Path == name);
        foreach (var value in setting.Extremes())
        {
            var options = new T();
            setting.Set(options, value);
            using var world = new BatchWorld(endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1, 1));
            world.Clients[0].Faults.Next(3, FakeFault.Status(500));
            var batch = world.Open();
            world.Add(batch, Reviews(Items));
            try
            {
                run(world, batch, options).Should().Be(Items, "{0} is {1}", name, value);
            }
            catch (ArgumentOutOfRangeException refused)
            {
                refused.Message.Should().Contain(name, "{0} is refused", value);
            }
            catch (BatchStoppedException stopped)
            {
                stopped.Reason.ToString().Should().Be(name, "only the limit {0} can end the run", name);
            }
        }
    }
}
