namespace HaKit.Testing.Tests.Fakes;

/// <summary>Tests a disposed server, and the times of an outage.</summary>
public sealed class FakeAiServerLifetimeTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_server_that_was_disposed_of_cannot_be_started_again()
    {
        var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await server.DisposeAsync();
        await server.DisposeAsync();
        await FluentActions.Awaiting(() => server.RestartAsync(Ct)).Should().ThrowAsync<ObjectDisposedException>();
        FluentActions.Invoking(() => server.Outage(TimeSpan.Zero, TimeSpan.Zero)).Should().Throw<ObjectDisposedException>();
        await server.StopAsync();
        server.IsListening.Should().BeFalse();
    }

    [Fact(Timeout = 60_000)]
    public async Task No_outgoing_connection_takes_the_port_of_a_server_that_is_down()
    {
        const string Range = "/proc/sys/net/ipv4/ip_local_port_range";
        Assert.SkipUnless(File.Exists(Range), $"There is no {Range}, which shows from which ports the system chooses.");
        var lowest = int.Parse((await File.ReadAllTextAsync(Range, Ct)).Split('\t')[0], System.Globalization.CultureInfo.InvariantCulture);
        for (var i = 0; i < 10; i++)
        {
            await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
            server.Address.Port.Should().BeLessThan(lowest);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(-1, 10, "from")]
    [InlineData(-5, -1, "from")]
    [InlineData(5, 4, "until")]
    public async Task An_outage_at_an_impossible_time_is_refused(int from, int until, string argument)
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        FluentActions.Invoking(() => server.Outage(TimeSpan.FromMilliseconds(from), TimeSpan.FromMilliseconds(until)))
            .Should().Throw<ArgumentOutOfRangeException>().WithParameterName(argument);
    }
}
