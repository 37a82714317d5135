using HaKit.Peers;
using HaKit.Testing;

namespace HaKit.Tests.Peers;

/// <summary>A link of the application that throws, although it must not, ends neither the process nor a call.</summary>
public sealed class LinkOfTheApplicationTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly ManualTimeProvider _time = new();

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_link_that_throws_counts_as_down_until_it_works_again(bool whenPublishing)
    {
        var link = new FakeLink();
        await using var pool = link.NewPool(_time, static o =>
        {
            o.Endpoints.Add(new EndpointOptions { Name = "a" });
            o.Sharing.Usage = true;
        });
        Fail(new InvalidOperationException("the password of the store"));
        await CallAsync(pool);
        _time.Advance(TimeSpan.FromSeconds(3));
        await CallAsync(pool);
        var status = pool.GetFleetStatus();
        status.Link!.IsConnected.Should().BeFalse();
        status.Link.Problem.Should().Contain("InvalidOperationException").And.NotContain("password");

        Fail(null);
        for (var i = 0; i < 15; i++)
        {
            await CallAsync(pool);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        pool.GetFleetStatus().Link!.IsConnected.Should().BeTrue();
        link.Published.Should().Contain(static f => f.Opinion == PeerOpinion.Serves);

        void Fail(Exception? failure)
        {
            if (whenPublishing)
                link.FailureOfPublishing = failure;
            else
                link.FailureOfStatus = failure;
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_link_that_throws_at_the_last_message_is_disposed_nevertheless()
    {
        var link = new FakeLink { FailureOfDisposal = new InvalidOperationException("disposed") };
        var pool = link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        await CallAsync(pool);
        _time.Advance(TimeSpan.FromSeconds(2));
        link.FailureOfPublishing = new InvalidOperationException("published");
        pool.Invoking(static p => p.Dispose()).Should().Throw<InvalidOperationException>().WithMessage("disposed");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_last_message_takes_the_opinions_back_once()
    {
        var link = new FakeLink();
        var pool = link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        await CallAsync(pool);
        _time.Advance(TimeSpan.FromSeconds(2));
        link.Published.Clear();
        pool.Dispose();
        pool.Dispose();
        var last = link.Published.Should().ContainSingle().Which;
        (last.Kind, last.Subject, last.Opinion).Should().Be((PeerFactKind.Opinion, "a", PeerOpinion.None));
    }

    private static async Task CallAsync(EndpointPool pool) => await pool.ExecuteAsync(RequestProfile.Default, 0, static (_, _, _) => new ValueTask<int>(1), Ct);
}
