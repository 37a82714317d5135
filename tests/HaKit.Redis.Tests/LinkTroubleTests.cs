using System.Globalization;
using System.Reflection;
using HaKit.Peers;
using StackExchange.Redis;
using static HaKit.Redis.Tests.RealStoreTests;

namespace HaKit.Redis.Tests;

/// <summary>The link over Redis beside a store that is slow to connect, commands that are not allowed, and an application that is slow or has disposed its connection.</summary>
public sealed class LinkTroubleTests(RedisServer server) : IClassFixture<RedisServer>
{
    [Fact(Timeout = 120_000)]
    public async Task A_store_that_is_slow_to_connect_gets_one_connection_and_none_after_the_disposal()
    {
        await StartAsync();
        using var admin = await ConnectionMultiplexer.ConnectAsync(server.Endpoint + ",allowAdmin=true,name=admin");
        var link = RedisPeerLinks.Over(server.Endpoint + ",name=slow-store")(Scope("slow"))!;
        try
        {
            server.Freeze();
            link.Start(static _ => { });
            // The store accepts connections and answers nothing. Several rounds give up meanwhile.
            await Until(() => link.Status.Problem?.Contains("was never reached", StringComparison.Ordinal) == true, 30);
            var began = TimeProvider.System.GetTimestamp();
            await Until(() => TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(5), 30);
            server.Thaw();
            await Until(() => link.Status.IsConnected, 30);
            // Connections of other attempts would come back in these seconds.
            await Rounds(admin, 5);
            (await Clients()).Should().Be(2, "one connection for commands and one for messages");
        }
        finally
        {
            server.Thaw();
            link.Dispose();
        }
        await Until(async () => await Clients() == 0, 30);

        async Task<int> Clients() => ((string?)await admin.GetDatabase().ExecuteAsync("CLIENT", "LIST"))!.Split('\n').Count(static l => l.Contains("name=slow-store", StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_listener_that_blocks_its_thread_stops_neither_the_rounds_nor_the_later_news()
    {
        await StartAsync();
        using var admin = await ConnectionMultiplexer.ConnectAsync(server.Endpoint + ",allowAdmin=true");
        using var other = RedisPeerLinks.Over(server.Endpoint)(Scope("blocked", "other"))!;
        using var link = RedisPeerLinks.Over(server.Endpoint)(Scope("blocked"))!;
        using var blocked = new ManualResetEventSlim();
        var heard = new List<string>();
        var begun = 0;
        link.Start(news =>
        {
            Interlocked.Increment(ref begun);
            blocked.Wait(TestContext.Current.CancellationToken);
            lock (heard)
                heard.AddRange(news.Facts.Select(static f => f.Subject));
        });
        await Until(() => Volatile.Read(ref begun) == 1, 30);
        await Rounds(admin, 5);
        link.Status.IsConnected.Should().BeTrue("the link works while the application's code blocks the listener");
        other.Start(static _ => { });
        await Until(() => other.Status.IsConnected, 30);
        for (var i = 0; i < 3; i++)
        {
            other.Publish([new PeerFact { Kind = PeerFactKind.Cooldown, Subject = "s" + i, Replica = "other", Version = 1, Length = TimeSpan.FromSeconds(300), Left = TimeSpan.FromSeconds(300) }]);
            await Rounds(admin, 2);
        }
        Volatile.Read(ref begun).Should().Be(1, "one call of the listener at a time");
        blocked.Set();
        await Until(() => Heard().Distinct().Count() == 3, 30);
        Heard().Distinct().Should().Equal("s0", "s1", "s2");

        string[] Heard()
        {
            lock (heard)
                return [.. heard];
        }
    }

    // The facts of the last second are sent although the link is closed at once, over the link's own connection and over the application's.
    [Theory(Timeout = 120_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_last_facts_are_in_the_store_after_the_disposal(bool isOwn)
    {
        await StartAsync();
        using var connection = await ConnectionMultiplexer.ConnectAsync(server.Endpoint);
        var scope = Scope(isOwn ? "last-own" : "last-given");
        var link = (isOwn ? RedisPeerLinks.Over(server.Endpoint) : RedisPeerLinks.Over(connection))(scope)!;
        link.Start(static _ => { });
        await Until(() => link.Status.IsConnected, 30);
        link.Publish([new PeerFact { Kind = PeerFactKind.Cooldown, Subject = "last", Replica = scope.Replica, Version = 1, Length = TimeSpan.FromSeconds(300), Left = TimeSpan.FromSeconds(300) }]);
        link.Dispose();
        using var other = RedisPeerLinks.Over(server.Endpoint)(scope with { Replica = "other" })!;
        var heard = false;
        other.Start(news => Volatile.Write(ref heard, Volatile.Read(ref heard) || news.Facts.Any(static f => f.Subject == "last")));
        await Until(() => Volatile.Read(ref heard), 10);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_frozen_store_does_not_delay_the_disposal()
    {
        await StartAsync();
        var link = RedisPeerLinks.Over(server.Endpoint)(Scope("frozen-end"))!;
        link.Start(static _ => { });
        await Until(() => link.Status.IsConnected, 30);
        server.Freeze();
        try
        {
            link.Publish([new PeerFact { Kind = PeerFactKind.Cooldown, Subject = "last", Replica = "r", Version = 1, Length = TimeSpan.FromSeconds(300), Left = TimeSpan.FromSeconds(300) }]);
            var began = TimeProvider.System.GetTimestamp();
            link.Dispose();
            TimeProvider.System.GetElapsedTime(began).Should().BeLessThan(TimeSpan.FromSeconds(2));
        }
        finally
        {
            server.Thaw();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_that_is_not_allowed_is_named_as_the_problem()
    {
        await StartAsync();
        using var link = RedisPeerLinks.Over(server.Endpoint + ",$TIME=")(Scope("commands"))!;
        link.Start(static _ => { });
        await Until(() => link.Status.Problem?.Contains("does not allow a command", StringComparison.Ordinal) == true, 30);
        link.Status.IsConnected.Should().BeFalse();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_pool_may_be_disposed_after_the_connection_that_it_was_given()
    {
        await StartAsync();
        var connection = await ConnectionMultiplexer.ConnectAsync(server.Endpoint);
        var pool = MakePool("order", RedisPeerLinks.Over(connection));
        await Until(() => IsConnected(pool), 20);
        await connection.DisposeAsync();
        pool.Invoking(static p => p.Dispose()).Should().NotThrow();
    }

    // Depending on its version and on the moment, the client of a disposed connection throws at the call and not in its task.
    [Fact(Timeout = 60_000)]
    public async Task A_client_that_throws_when_the_link_leaves_its_channel_does_not_disturb_the_disposal()
    {
        await StartAsync();
        using var real = await ConnectionMultiplexer.ConnectAsync(server.Endpoint);
        var connection = DispatchProxy.Create<IConnectionMultiplexer, DisposedClient>();
        ((DisposedClient)(object)connection).Real = real;
        var pool = MakePool("throws", RedisPeerLinks.Over(connection));
        await Until(() => IsConnected(pool), 20);
        pool.Invoking(static p => p.Dispose()).Should().NotThrow();
    }

    // Passes all calls to the real client, but throws when it is asked to leave a channel.
    public class DisposedClient : DispatchProxy
    {
        public object? Real { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            ObjectDisposedException.ThrowIf(targetMethod!.Name == nameof(ISubscriber.UnsubscribeAsync), Real!);
            var result = targetMethod.Invoke(Real, args);
            if (result is not ISubscriber)
                return result;
            var subscriber = DispatchProxy.Create<ISubscriber, DisposedClient>();
            ((DisposedClient)(object)subscriber).Real = result;
            return subscriber;
        }
    }

    private async Task StartAsync()
    {
        if (!server.IsInstalled)
            Assert.Skip(server.Missing);
        await server.StartAsync();
    }

    private static PeerScope Scope(string pool, string replica = "one") => new() { Name = "app/test", Pool = pool, Replica = replica, Time = TimeProvider.System };

    // Each round of a link asks the store for its time once.
    private static async Task Rounds(ConnectionMultiplexer admin, int count)
    {
        var before = await Asked();
        await Until(async () => await Asked() >= before + count, 30);

        async Task<long> Asked()
        {
            var line = ((string?)await admin.GetDatabase().ExecuteAsync("INFO", "commandstats"))!.Split('\n').SingleOrDefault(static l => l.StartsWith("cmdstat_time:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line["cmdstat_time:calls=".Length..line.IndexOf(',', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
        }
    }
}
