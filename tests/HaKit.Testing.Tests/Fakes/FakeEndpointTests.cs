using System.Net;

namespace HaKit.Testing.Tests.Fakes;

public sealed class FakeEndpointTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly FakeEndpoint<string> _endpoint;

    public FakeEndpointTests() => _endpoint = new("e", call => $"answer {call.Number} at {call.At.TotalSeconds} s", _clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Answers_delays_and_exceptions_come_in_sequence()
    {
        _endpoint.Faults.InOrder(
            FakeFault.None,
            FakeFault.Throw(() => new FormatException("mine")),
            FakeFault.Status(429),
            FakeFault.Latency(TimeSpan.FromSeconds(30)),
            FakeFault.CutAfter(0),
            FakeFault.EmptyBody);

        Call().Should().Be("answer 1 at 0 s");
        FluentActions.Invoking(Call).Should().Throw<FormatException>().WithMessage("mine");
        FluentActions.Invoking(Call).Should().Throw<HttpRequestException>().Which.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        Call().Should().Be("answer 4 at 0 s");
        _clock.Elapsed.Should().Be(TimeSpan.FromSeconds(30));
        FluentActions.Invoking(Call).Should().Throw<IOException>();
        FluentActions.Invoking(Call).Should().Throw<InvalidDataException>();
        Call().Should().Be("answer 7 at 30 s");
        _endpoint.Counts.Should().Match<FakeCounts>(c => c.Received == 7 && c.AnsweredWhole == 3 && c.Failed == 4);
    }

    [Fact]
    public void A_schedule_strikes_in_virtual_time()
    {
        _endpoint.Faults.During(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), FakeFault.Refused);
        var answered = new List<bool>();
        for (var i = 0; i < 6; i++)
        {
            answered.Add(Record.Exception(Call) is null);
            _clock.Advance(TimeSpan.FromSeconds(0.5));
        }

        answered.Should().Equal(true, true, false, false, true, true);
    }

    [Fact]
    public void A_silence_lasts_until_the_caller_gives_up()
    {
        _endpoint.Faults.InOrder(FakeFault.Hang, FakeFault.Latency(TimeSpan.FromMinutes(5)));

        for (var i = 0; i < 2; i++)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1), _clock);
            var call = () => _clock.RunUntil(_endpoint.CallAsync(deadline.Token));
            call.Should().Throw<OperationCanceledException>();
        }

        _clock.Elapsed.Should().Be(TimeSpan.FromMinutes(2));
        _endpoint.Counts.Should().Match<FakeCounts>(c => c.Failed == 1 && c.Abandoned == 1);
    }

    [Fact]
    public void A_stream_is_whole_cut_ended_early_or_left()
    {
        _endpoint.Faults.InOrder(FakeFault.Latency(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3)), FakeFault.CutAfter(2), FakeFault.EndAfter(1), FakeFault.None);

        Read(int.MaxValue).Should().Be((3, null));
        _clock.Elapsed.Should().Be(TimeSpan.FromSeconds(1 + 2 + 3 + 3));
        var (items, error) = Read(int.MaxValue);
        items.Should().Be(2);
        error.Should().BeOfType<IOException>();
        Read(int.MaxValue).Should().Be((1, null));
        Read(1).Should().Be((1, null));
        _endpoint.Counts.Should().Match<FakeCounts>(c => c.AnsweredWhole == 1 && c.Cut == 2 && c.Abandoned == 1 && c.CompletionTokens == 7);
    }

    private string Call() => _clock.RunUntil(_endpoint.CallAsync(Token));

    private (int Items, Exception? Error) Read(int most)
    {
        var items = 0;
        var error = Record.Exception(() => _clock.Run(async () =>
        {
            await foreach (var _ in _endpoint.StreamAsync(["a", "b", "c"], Token))
            {
                if (++items == most)
                    break;
            }
        }));
        return (items, error);
    }
}
