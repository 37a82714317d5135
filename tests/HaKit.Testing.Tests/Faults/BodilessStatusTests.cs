using HaKit.Testing.Tests.Fakes;

namespace HaKit.Testing.Tests.Faults;

/// <summary>HTTP answers with the status 204, 205 or 304 have no body.</summary>
public sealed class BodilessStatusTests
{
    [Theory(Timeout = 60_000)]
    [InlineData(204, true), InlineData(205, true), InlineData(304, true), InlineData(204, false), InlineData(205, false), InlineData(304, false)]
    public async Task A_status_without_a_body_is_answered_as_such_and_the_connection_serves_on(int status, bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.InOrder(FakeFault.Status(status), FakeFault.Status(status), FakeFault.Status(503, ""));
        foreach (var stream in new[] { false, true })
        {
            using var answer = await BareClient.PostAsync(fake.Client, "p", stream);
            ((int)answer.StatusCode).Should().Be(status);
            (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Should().BeEmpty();
        }
        using var empty = await BareClient.PostAsync(fake.Client, "p", stream: false);
        ((int)empty.StatusCode).Should().Be(503);
        (await empty.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Should().BeEmpty();
        using var served = await BareClient.PostAsync(fake.Client, "p", stream: false);
        ((int)served.StatusCode).Should().Be(200);
        (await served.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Should().NotBeEmpty();
        (await fake.CountsWhenSettledAsync()).Should().Match<FakeCounts>(c => c.Failed == 3 && c.AnsweredWhole == 1 && c.ByStatus[status] == 2);
    }

    [Theory, InlineData(204), InlineData(205), InlineData(304)]
    public void A_body_for_a_status_without_a_body_is_refused(int status)
    {
        FluentActions.Invoking(() => FakeFault.Status(status, "text")).Should().Throw<ArgumentException>().WithParameterName("body");
        FakeFault.Status(status, "").Name.Should().Be($"status {status}");
    }
}
