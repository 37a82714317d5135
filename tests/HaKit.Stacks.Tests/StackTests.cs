using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>Every client stack gets the same results from a pool. docs/in-your-application.md has the table.</summary>
public sealed class StackTests
{
    public static TheoryData<string, string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, bool>();
            foreach (var stack in Stacks.ByName.Keys)
            {
                foreach (var (trouble, what) in Troubles.ByName)
                {
                    foreach (var stream in (bool[])[false, true])
                    {
                        if ((stream ? !what.Plain : !what.Streams) && !(stream && stack == "OllamaSharp" && what.Streams)) // its streams are lines of JSON, which the fake server cannot break
                            cases.Add(stack, trouble, stream);
                    }
                }
            }

            return cases;
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Cases))]
    public async Task A_stack_in_trouble_gets_what_the_table_says(string stack, string trouble, bool stream)
    {
        var (client, what) = (Stacks.ByName[stack], Troubles.ByName[trouble]);
        await using var world = await World.StartAsync();
        world.Servers[0].Faults.Always(what.Fault);

        var call = world.PassTimeAsync((stream ? client.StreamAsync : client.AskAsync)(world.Pool, TestContext.Current.CancellationToken), what.IsSlow);

        switch (ExpectedOf(stack, trouble))
        {
            case Outcome.Served:
                (await call).Should().NotBeEmpty();
                world.Servers[1].Counts.AnsweredWhole.Should().Be(trouble == "all is well" ? 0 : 1);
                break;
            case Outcome.Refused:
                (await call.Invoking(async c => await c).Should().ThrowAsync<Exception>()).Which.Should().NotBeAssignableTo<EndpointPoolException>();
                world.Servers.Sum(s => s.Counts.Received).Should().Be(1);
                break;
            default:
                var thrown = (await call.Invoking(async c => await c).Should().ThrowAsync<Exception>()).Which;
                Chain(thrown).Should().Contain(e => e is PartialResponseException);
                world.Servers[1].Counts.Received.Should().Be(0, "what was delivered is never replayed");
                break;
        }
    }

    [Fact]
    public void The_page_shows_the_table_as_it_is_tested()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        var page = File.ReadAllText(Path.Combine(folder.FullName, "docs", "in-your-application.md"));
        foreach (var (name, trouble) in Troubles.ByName)
            page.Should().Contain($"| {name} | {Words(trouble)} |");
        foreach (var stack in Stacks.ByName.Keys)
            page.Should().Contain(stack);
    }

    // The endpoints declare no dialect. So Ollama's own path is not known as a path that creates answers, and a refusal goes back to the caller at once.
    private static Outcome ExpectedOf(string stack, string trouble) =>
        stack == "OllamaSharp" && trouble == "model not found" ? Outcome.Refused : Troubles.ByName[trouble].Expected;

    private static string Words(Trouble trouble) => trouble.Expected switch
    {
        Outcome.Served => trouble.Fault == FakeFault.None ? "served by the preferred server" : "served by the other server",
        Outcome.Refused => "the SDK's own exception, after one request",
        _ => "`PartialResponseException` after the delivered part; no further request is sent",
    };

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }

    /// <summary>Runs two servers on real sockets, the first of which is preferred. The test advances the pool's clock.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly ManualTimeProvider _time;

        private World(FakeAiServer[] servers, EndpointPool pool, ManualTimeProvider time) => (Servers, Pool, _time) = (servers, pool, time);

        public FakeAiServer[] Servers { get; }

        public EndpointPool Pool { get; }

        public static async Task<World> StartAsync()
        {
            var (time, token) = (new ManualTimeProvider(), TestContext.Current.CancellationToken);
            FakeAiServer[] servers = [await FakeAiServer.StartAsync(cancellationToken: token), await FakeAiServer.StartAsync(cancellationToken: token)];
            var options = new EndpointPoolOptions { Seed = 1 };
            options.Heartbeat.Enabled = false;
            for (var i = 0; i < servers.Length; i++)
                options.Endpoints.Add(new EndpointOptions { Name = $"s{i}", Address = servers[i].Address.ToString(), Tier = i });
            return new(servers, new EndpointPool("stack", options, new EndpointPoolParts { TimeProvider = time }), time);
        }

        // The time advances only for a fault that needs it, and never while the standby works. So the result does not depend on the load of the machine.
        public async Task<string> PassTimeAsync(Task<string> call, bool isSlow)
        {
            while (isSlow && await Task.WhenAny(call, Task.Delay(2, TestContext.Current.CancellationToken)) != call)
            {
                if (Pool.Explain(RequestProfile.Default)[1].InFlight == 0)
                    _time.Advance(TimeSpan.FromSeconds(1));
            }

            return await call;
        }

        public async ValueTask DisposeAsync()
        {
            await Pool.DisposeAsync();
            foreach (var server in Servers)
                await server.DisposeAsync();
        }
    }
}
