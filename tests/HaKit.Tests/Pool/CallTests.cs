using System.Runtime.CompilerServices;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>Tests the overloads that make a call: with and without a profile, a state and a result. None of them works after the pool is disposed.</summary>
public sealed class CallTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly RequestProfile ToB = new() { Endpoints = ["b"] };
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task A_profile_without_a_state_is_used_as_the_profile()
    {
        await using var pool = TestPool.Create(_time, 3);
        for (var i = 0; i < 3; i++)
        {
            (await pool.ExecuteAsync(ToB, static (attempt, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("b");
            (await pool.ExecuteAsync(ToB, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("b", "also where the callback takes it as the state");
            (await Generic(pool, ToB)).Should().Be("b", "also where the caller does not know the type");
            (await pool.ExecuteWithDetailAsync(ToB, static (attempt, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Result.Should().Be("b");
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_profile_that_is_passed_as_an_object_is_used_as_the_profile()
    {
        await using var pool = TestPool.Create(_time, 3);
        for (var i = 0; i < 3; i++)
        {
            (await Generic<object>(pool, ToB)).Should().Be("b");
            await using var stream = await pool.StreamAsync<object, string>(ToB, static (_, _, token) => ValueTask.FromResult(Items(token)), new TextReader(), Ct);
            stream.Detail.Endpoint.Should().Be("b");
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_profile_without_a_state_that_is_null_is_refused_because_its_requirements_are_lost()
    {
        await using var pool = TestPool.Create(_time, 3);
        RequestProfile missing = null!;
        await FluentActions.Awaiting(() => Generic(pool, missing).AsTask()).Should().ThrowAsync<ArgumentNullException>();
        await FluentActions.Awaiting(() => pool.ExecuteAsync(missing, static (_, _, _) => default(ValueTask), Ct).AsTask()).Should().ThrowAsync<ArgumentNullException>();
        await FluentActions.Awaiting(() => pool.StreamAsync(missing, static (_, _, token) => ValueTask.FromResult(Items(token)), new TextReader(), Ct).AsTask()).Should().ThrowAsync<ArgumentNullException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_list_that_is_changed_after_its_profile_was_made_takes_no_effect()
    {
        await using var pool = TestPool.Create(_time, 3, o => o.Endpoints[1].Tags.Add("eu"));
        var names = new List<string> { "b" };
        var tags = new List<string> { "eu" };
        string[] array = ["b"];
        RequestProfile[] profiles = [new() { Endpoints = names }, new() { Tags = tags }, new() { Endpoints = array }, RequestProfile.Default with { Tags = tags, Endpoints = names }];
        (names[0], array[0]) = ("a", "a");
        names.Add("c");
        tags.Clear();
        foreach (var profile in profiles)
        {
            for (var i = 0; i < 3; i++)
                (await pool.ExecuteAsync(profile, static (attempt, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("b");
        }
    }

    [Fact]
    public async Task A_profile_without_a_state_is_used_for_work_without_a_result_too()
    {
        await using var pool = TestPool.Create(_time, 3);
        var served = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            await pool.ExecuteAsync(ToB, async (attempt, _) => { await Task.CompletedTask; served.Add(attempt.Endpoint.Name); }, Ct);
            await pool.ExecuteAsync(ToB, async (attempt, profile, _) => { await Task.CompletedTask; served.Add(attempt.Endpoint.Name); }, Ct);
            await pool.ExecuteAsync(ToB, served, static (attempt, served, _) => { served.Add(attempt.Endpoint.Name); return default(ValueTask); }, Ct);
        }
        served.Should().HaveCount(9).And.OnlyContain(name => name == "b");
    }

    [Fact]
    public async Task A_profile_without_a_state_is_used_for_streams_too()
    {
        await using var pool = TestPool.Create(_time, 3);
        for (var i = 0; i < 3; i++)
        {
            await using var plain = await pool.StreamAsync(ToB, static (_, token) => ValueTask.FromResult(Items(token)), new TextReader(), Ct);
            plain.Detail.Endpoint.Should().Be("b");
            await using var stated = await pool.StreamAsync(ToB, static (_, _, token) => ValueTask.FromResult(Items(token)), new TextReader(), Ct);
            stated.Detail.Endpoint.Should().Be("b");
        }
    }

    [Fact]
    public async Task A_deadline_in_a_profile_without_a_state_holds()
    {
        await using var pool = TestPool.Create(_time, 1);
        var call = pool.ExecuteAsync(new RequestProfile { Deadline = TimeSpan.FromSeconds(3) }, static async (_, _, token) => { await Task.Delay(Timeout.Infinite, token); return 0; }, Ct);
        _time.Invoking(t => t.RunUntil(call)).Should().Throw<DeadlineExceededException>();
        _time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Calls_without_profile_and_state_fail_over_like_others()
    {
        await using var pool = TestPool.Create(_time, 2);
        (await pool.ExecuteAsync(static (attempt, _) => attempt.Endpoint.Name == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : ValueTask.FromResult(7), Ct)).Should().Be(7);
        var served = "";
        await pool.ExecuteAsync((attempt, _) =>
        {
            served = attempt.Endpoint.Name;
            return served == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : default(ValueTask);
        }, Ct);
        served.Should().Be("b");
    }

    public static TheoryData<string, Func<EndpointPool, Task>> UsesAfterTheEnd => new()
    {
        { "execute", static async pool => await pool.ExecuteAsync(0, static (_, _, _) => ValueTask.FromResult(1)) },
        { "execute without a result", static async pool => await pool.ExecuteAsync(static (_, _) => default(ValueTask)) },
        { "execute with detail", static async pool => await pool.ExecuteWithDetailAsync(RequestProfile.Default, static (_, _) => ValueTask.FromResult(1)) },
        { "stream", static async pool => await pool.StreamAsync(static (_, token) => ValueTask.FromResult(Items(token)), new TextReader()) },
        { "HTTP", static async pool => { using var http = pool.CreateHttpClient(); await http.GetAsync("models"); } },
        { "a pipeline of one's own", static async pool => await new Polly.ResiliencePipelineBuilder().AddEndpointFailover(pool).Build().ExecuteAsync(static _ => default) },
        { "update", static pool => { pool.Update(new EndpointPoolOptions { Endpoints = { new() { Name = "z" } } }); return Task.CompletedTask; } },
        { "add", static pool => { pool.AddEndpoint(new EndpointOptions { Name = "z" }); return Task.CompletedTask; } },
        { "remove", static pool => { pool.RemoveEndpoint("a"); return Task.CompletedTask; } },
        { "drain", static async pool => await pool.DrainAsync("a") },
        { "force down", static async pool => await pool.ForceDownAsync("a") },
        { "bring up", static async pool => await pool.BringUpAsync("a") },
        { "promote", static async pool => await pool.PromoteAsync(0) },
        { "fail back", static async pool => await pool.FailBackAsync() },
    };

    [Theory]
    [MemberData(nameof(UsesAfterTheEnd), DisableDiscoveryEnumeration = true)]
    public async Task A_pool_that_was_disposed_of_serves_and_changes_nothing_any_more(string what, Func<EndpointPool, Task> use)
    {
        var pool = TestPool.Create(_time, 2);
        pool.Dispose();
        await FluentActions.Awaiting(() => use(pool)).Should().ThrowAsync<ObjectDisposedException>(what);
        pool.Dispose();
    }

    [Fact]
    public void What_a_disposed_pool_shows_of_itself_can_still_be_read()
    {
        var pool = TestPool.Create(_time, 2);
        pool.Dispose();
        pool.GetStatus().Endpoints.Should().HaveCount(2);
        pool.Explain(RequestProfile.Default).Should().HaveCount(2);
        pool.MeasureLoad().Endpoints.Should().HaveCount(2);
        pool.GetAvailabilityReport().Endpoints.Should().HaveCount(2);
    }

    [Fact]
    public async Task A_call_in_flight_outlives_the_end()
    {
        var pool = TestPool.Create(_time, 2);
        var first = new TaskCompletionSource<int>();
        var call = pool.ExecuteAsync(first, static (attempt, first, _) => attempt.Endpoint.Name == "a" ? new ValueTask<int>(first.Task) : ValueTask.FromResult(42), Ct);
        pool.Dispose();
        first.SetException(new HttpRequestException(HttpRequestError.ConnectionError));
        (await call).Should().Be(42);
    }

    private static ValueTask<string> Generic<T>(EndpointPool pool, T state) => pool.ExecuteAsync(state, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct);

    private static async IAsyncEnumerable<string> Items([EnumeratorCancellation] CancellationToken token)
    {
        await Task.CompletedTask;
        token.ThrowIfCancellationRequested();
        yield return "hello";
    }

    private sealed class TextReader : StreamItemReader<string>
    {
        public override bool MarksEnd => false;

        public override StreamSignal Read(string item) => StreamSignal.Content;
    }
}
