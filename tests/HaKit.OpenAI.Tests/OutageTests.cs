using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>
/// Tests, over real sockets with the OpenAI SDK, that a single call is served soon after the endpoints are back. The limits are wide, because the machine may
/// be busy; without the rules for waiting the call took 75 s.
/// </summary>
public sealed class OutageTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lone_call_outlives_an_outage_of_all_endpoints(bool streamed)
    {
        await using var world = await Three.StartAsync();
        var down = world.Servers.Select(static s => s.Faults.Always(FakeFault.Status(503))).ToArray();
        var call = world.AskAsync(streamed);
        await Task.Delay(TimeSpan.FromSeconds(1), Ct);
        Array.ForEach(down, static d => d.Dispose());
        (await call).Should().Be(SdkWorld.Answer);
        world.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(15));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lone_call_waits_for_the_time_that_each_endpoint_names(bool streamed)
    {
        await using var world = await Three.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Next(2, FakeFault.Status(429).WithHeader("Retry-After", "1"));
        (await world.AskAsync(streamed)).Should().Be(SdkWorld.Answer);
        world.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(1.9), "each endpoint named a second twice").And.BeLessThan(TimeSpan.FromSeconds(20));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lone_call_outlives_two_refusals_of_each_endpoint(bool streamed)
    {
        await using var world = await Three.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Next(2, FakeFault.Status(503));
        (await world.AskAsync(streamed)).Should().Be(SdkWorld.Answer);
        world.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(15));
    }

    /// <summary>Creates a pool of three endpoints on the real clock.</summary>
    private sealed class Three : IAsyncDisposable
    {
        private readonly SdkWorld _world;
        private readonly long _began = TimeProvider.System.GetTimestamp();

        private Three(FakeAiServer[] servers) =>
            (Servers, _world) = (servers, SdkWorld.Over(servers, time: TimeProvider.System));

        public FakeAiServer[] Servers { get; }

        public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_began);

        public static async Task<Three> StartAsync() => new(
            [await FakeAiServer.StartAsync(cancellationToken: Ct), await FakeAiServer.StartAsync(cancellationToken: Ct), await FakeAiServer.StartAsync(cancellationToken: Ct)]);

        public Task<string> AskAsync(bool streamed) => _world.AskAsync(Sdk.OpenAI, streamed);

        public async ValueTask DisposeAsync()
        {
            await _world.DisposeAsync();
            foreach (var server in Servers)
                await server.DisposeAsync();
        }
    }
}
