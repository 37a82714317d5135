using System.Data.Common;
using HaKit.AI;
using HaKit.Batch.Running;
using HaKit.Batch.Stores;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

/// <summary>
/// Tests that a failure of an application's own store ends the run with <see cref="BatchStoreException"/>, whatever the store throws and whenever: no item
/// fails because of it, and the run does not hang.
/// </summary>
public sealed class OwnStoreTests
{
    private static readonly Dictionary<string, Func<Exception>> s_kinds = new()
    {
        ["disposed"] = static () => new ObjectDisposedException("connection", "Password=planted"),
        ["timeout"] = static () => new TimeoutException("Password=planted"),
        ["database"] = static () => new DatabaseException("Password=planted"),
        ["cancelled by itself"] = static () => new TaskCanceledException("Password=planted"),
        ["bug"] = static () => new FormatException("Password=planted"),
        ["fault of a request"] = static () => new EndpointFaultException("store", new Fault(FaultKind.InvalidRequest) { StatusCode = 400 }),
        ["batch store"] = static () => new BatchStoreException("the store's own text"),
    };

    // The member that fails, the number of its call, and how the run comes to this call.
    private static readonly Dictionary<string, FailingCall> s_situations = new()
    {
        ["CountAsync before the run"] = new(1),
        ["CountAsync in the run"] = new(3),
        ["ReadFinishedAsync of what has changed"] = new(1, static s => s.RunBefore()),
        ["ReadFinishedAsync of earlier results"] = new(2, static s => s.RunBefore()),
        ["RedoAsync"] = new(1, static s => s.RedoFailed()),
        ["ClaimAsync"] = new(1),
        ["ClaimAsync with calls in flight"] = new(2, static s => s.Refuse("review 1", 500)),
        ["Lease"] = new(2),
        ["RenewAsync"] = new(1, static s => s.World.Clients[0].Faults.Always(FakeFault.Latency(TimeSpan.FromMinutes(1)))),
        ["StartAsync"] = new(5),
        ["StartAsync of a repeated request"] = new(22, static s => s.RefuseLast()),
        ["CommitAsync of an answer"] = new(5),
        ["CommitAsync of a failed item"] = new(20, static s => s.RefuseLast(400)),
        ["CommitAsync of a cancelled call"] = new(1, static s => s.CancelAfter(TimeSpan.FromMilliseconds(50), mayRepeat: false)),
        ["EndAsync of an item that is put back"] = new(1, static s => s.Refuse("review 5", 500)),
        ["EndAsync of a cancelled call"] = new(1, static s => s.CancelAfter(TimeSpan.FromMilliseconds(50))),
        ["EndAsync of a repeated request"] = new(2, static s => s.RefuseLast()),
        ["EndAsync of a group that is split"] = new(1, static s => s.UseGroups(maxCost: null)),
        ["EndAsync of a group that is too expensive"] = new(1, static s => s.UseGroups(maxCost: 7)),
        ["ReleaseAsync"] = new(1, static s => s.StopWithAnItemLeft()),
    };

    public static MatrixTheoryData<string, string, bool> Table => new(s_situations.Keys, s_kinds.Keys, [true, false]);

    [Fact(Timeout = 60_000)]
    public void The_leases_of_calls_in_flight_are_renewed_while_a_failed_run_ends()
    {
        using var world = new BatchWorld();
        world.Clients[0].Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(80)));
        world.Clients[1].Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(80)));
        world.Clients[2].Faults.Always(FakeFault.Latency(TimeSpan.FromSeconds(80)));
        var renewed = new List<double>();
        var claims = 0;
        var store = new FailingStore(world.Open().Store) { OwnLease = TimeSpan.FromSeconds(60) };
        store.FailureOf = member =>
        {
            if (member == nameof(IBatchStore.RenewAsync))
                renewed.Add(world.Time.Elapsed.TotalSeconds);
            return member == nameof(IBatchStore.ClaimAsync) && ++claims > 1 ? (new InvalidOperationException("the application's code"), true) : null;
        };
        var batch = new Batch<Review>(store);
        world.Add(batch, Reviews(20));
        FluentActions.Invoking(() => world.Run(batch)).Should().Throw<BatchStoreException>();
        renewed.Should().HaveCountGreaterThanOrEqualTo(3).And.BeInAscendingOrder();
        renewed.Zip(renewed.Skip(1), static (a, b) => b - a).Should().OnlyContain(static gap => gap <= 20.1);
    }

    [Fact(Timeout = 60_000)]
    public void A_claim_that_another_worker_has_taken_over_is_no_reached_limit_on_cost()
    {
        using var world = new BatchWorld(endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1, 1));
        var store = new FailingStore(world.Open().Store) { OwnLease = TimeSpan.FromSeconds(60), TakesOverFirst = true };
        var batch = new Batch<Review>(store);
        world.Add(batch, Reviews(3));
        var results = world.Run(batch, new ChatBatchOptions { MaxCost = 1000, MaxConcurrency = 1 });
        results.Should().HaveCount(3);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Table))]
    public void Failure_of_a_store_ends_the_run_and_no_item_fails_because_of_it(string when, string kind, bool isThrownAtOnce)
    {
        using var situation = new Situation();
        var (call, prepare) = s_situations[when];
        prepare?.Invoke(situation);
        var failedBefore = situation.World.Counts(situation.Batch).Failed;
        var (member, failure) = (when.Split(' ')[0], s_kinds[kind]());
        situation.FailAt(member, call, failure, isThrownAtOnce);

        var thrown = FluentActions.Invoking(situation.Run).Should().Throw<BatchStoreException>().Which;

        if (failure is BatchStoreException)
        {
            thrown.Should().BeSameAs(failure);
        }
        else
        {
            thrown.InnerException.Should().BeSameAs(failure);
            thrown.Message.Should().Contain(situation.Batch.Name).And.Contain(member).And.Contain(failure.GetType().Name).And.NotContain("planted");
        }
        situation.States.Should().NotContain(BatchItemState.Failed);
        situation.Store.FailureOf = static _ => null;
        situation.World.Counts(situation.Batch).Failed.Should().Be(failedBefore);
        if (when == "CommitAsync of an answer")
            thrown.Unsaved.Should().NotBeEmpty().And.OnlyContain(u => u.Outcome.State == BatchItemState.Succeeded, "the answers were paid for");
    }

    [Fact(Timeout = 60_000)]
    public void Store_that_ends_because_the_run_was_cancelled_has_not_failed()
    {
        using var situation = new Situation();
        situation.CancelAfter(TimeSpan.Zero);
        situation.FailAt("CountAsync", 1, new OperationCanceledException(), isThrownAtOnce: false);
        FluentActions.Invoking(situation.Run).Should().Throw<OperationCanceledException>();
    }

    private sealed record FailingCall(int Call, Action<Situation>? Prepare = null);

    private sealed class DatabaseException(string message) : DbException(message);

    /// <summary>Holds a batch of 20 items over a store that can fail, and one endpoint.</summary>
    private sealed class Situation : IDisposable
    {
        private CancellationTokenSource? _cancellation;
        private EndpointPool? _embeddings;
        private double? _maxCost;

        public Situation()
        {
            World = new BatchWorld(endpoints: 1, endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1_000_000, 1_000_000));
            Store = new FailingStore(World.Open().Store) { OwnLease = TimeSpan.FromSeconds(30) };
            Batch = new Batch<Review>(Store);
            World.Add(Batch, Reviews(20));
        }

        public BatchWorld World { get; }

        public FailingStore Store { get; }

        public Batch<Review> Batch { get; }

        public ChatBatchOptions Options { get; } = new() { MaxConcurrency = 4 };

        public List<BatchItemState> States { get; } = [];

        public void RunBefore() => World.Run(Batch);

        public void RedoFailed()
        {
            Refuse("review 5", 400);
            RunBefore();
            Options.RedoFailed = true;
        }

        public void StopWithAnItemLeft()
        {
            RefuseLast();
            Options.StopAt = World.Time.GetUtcNow() + TimeSpan.FromSeconds(10);
        }

        public void Refuse(string prompt, int status)
        {
            var client = World.Clients[0];
            var answer = client.Answer;
            var kind = status == 400 ? FaultKind.InvalidRequest : FaultKind.ServerError;
            client.Answer = request => request.Prompt == prompt ? throw new EndpointFaultException(client.Name, new Fault(kind) { StatusCode = status }) : answer(request);
        }

        /// <summary>
        /// Lets the last item fail after the other 19 items were served one after another. With a status of 500, the run repeats a request that was served.
        /// </summary>
        public void RefuseLast(int status = 500)
        {
            Options.MaxConcurrency = 1;
            Refuse("review 19", status);
        }

        public void CancelAfter(TimeSpan span, bool mayRepeat = true)
        {
            Options.MayRepeat = mayRepeat;
            _cancellation = new CancellationTokenSource(span, World.Time);
            if (span == TimeSpan.Zero)
                _cancellation.Cancel();
        }

        /// <summary>Lets the run send the items as texts for embeddings, 10 in a call. One text makes the endpoint refuse its group.</summary>
        public void UseGroups(double? maxCost)
        {
            _maxCost = maxCost;
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            options.AddEndpoint("main", new PickyGenerator(new FakeEmbeddingGenerator("main", World.Time)), static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1_000_000, 1_000_000));
            _embeddings = new EndpointPool("embeddings", options, new EndpointPoolParts { TimeProvider = World.Time });
        }

        /// <summary>Lets a member fail from the given call on.</summary>
        public void FailAt(string member, int call, Exception failure, bool isThrownAtOnce)
        {
            var calls = 0;
            Store.FailureOf = name => name == member && ++calls >= call ? (failure, isThrownAtOnce) : null;
        }

        public void Run() => World.Time.Run(async () =>
        {
            var token = _cancellation?.Token ?? CancellationToken.None;
            if (_embeddings is null)
            {
                await foreach (var result in World.Chat.RunBatchAsync(Batch, Prompt, Options, token).ConfigureAwait(false))
                    States.Add(result.State);
                return;
            }
            await foreach (var result in _embeddings.AsEmbeddingGenerator().RunBatchAsync(Batch, static r => r.Text, new EmbeddingBatchOptions { GroupSize = 10, MaxCost = _maxCost }, token).ConfigureAwait(false))
                States.Add(result.State);
        });

        public void Dispose()
        {
            _cancellation?.Dispose();
            _embeddings?.Dispose();
            World.Dispose();
        }
    }

    private sealed class PickyGenerator(FakeEmbeddingGenerator inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public override Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            values.Contains("review 5") ? throw new EndpointFaultException("main", new Fault(FaultKind.InvalidRequest) { StatusCode = 400 }) : base.GenerateAsync(values, options, cancellationToken);
    }
}
