using System.Net;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>A call with many attempts lists only its first and last ones, but counts all that may have been billed.</summary>
public sealed class PerhapsBilledTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact(Timeout = 60_000)]
    public async Task Attempts_that_the_details_do_not_list_are_perhaps_billed_too()
    {
        await using var pool = TestPool.Create(_time, 1);
        var asked = 0;
        var (_, detail) = _time.Run(() => pool.ExecuteWithDetailAsync(RequestProfile.Default, 0, (_, _, _) => ++asked <= 20 ? Fails() : new ValueTask<int>(asked)).AsTask());
        detail.AttemptCount.Should().Be(21);
        detail.Attempts.Should().HaveCount(13);
        detail.PerhapsBilled.Should().Be(20);
    }

    [Fact(Timeout = 60_000)]
    public async Task Attempts_that_an_exception_does_not_list_are_perhaps_billed_too()
    {
        await using var pool = TestPool.Create(_time, 1);
        var thrown = await FluentActions.Awaiting(async () => _time.Run(() => pool.ExecuteAsync(RequestProfile.Default, 0, static (_, _, _) => Fails()).AsTask()))
            .Should().ThrowAsync<EndpointPoolException>();
        thrown.Which.AttemptCount.Should().BeGreaterThan(13);
        thrown.Which.Attempts.Should().HaveCount(13);
        thrown.Which.PerhapsBilled.Should().Be(thrown.Which.AttemptCount);
    }

    private static ValueTask<int> Fails() => ValueTask.FromException<int>(new HttpRequestException("500", null, HttpStatusCode.InternalServerError));
}
