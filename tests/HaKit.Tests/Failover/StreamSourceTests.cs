using HaKit.Failover;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

public sealed class StreamSourceTests : IAsyncDisposable
{
    private readonly AsyncSignal _signal = new(new ManualTimeProvider());
    private readonly Source _items = new();
    private readonly StreamSource<int> _source;

    public StreamSourceTests() => _source = new StreamSource<int>(_items, _signal);

    public ValueTask DisposeAsync()
    {
        _signal.Dispose();
        return _items.DisposeAsync();
    }

    private sealed class Source : IAsyncEnumerator<int>
    {
        public TaskCompletionSource<bool> Move { get; } = new();

        public int Disposed { get; private set; }

        public int Current => 7;

        public ValueTask<bool> MoveNextAsync() => new(Move.Task);

        public ValueTask DisposeAsync()
        {
            Disposed++;
            return default;
        }
    }

    private bool Follow() => _source.TryFollow(_items.MoveNextAsync());

    // After the signal was set, a wait returns immediately.
    private bool WasBeaten() => _signal.WaitAsync().AsTask().IsCompletedSuccessfully;

    [Fact]
    public void A_move_that_ends_beats_the_pulse_and_is_taken_once()
    {
        Follow().Should().BeTrue();
        (_source.HasMoved, _source.IsLeft).Should().Be((false, false));
        _source.TryTake().Should().BeFalse("it still moves");

        _items.Move.SetResult(true);

        (_source.HasMoved, _source.IsLeft).Should().Be((true, false));
        _source.TryTake().Should().BeTrue();
        _source.TryTake().Should().BeFalse();
        _source.HasMoved.Should().BeFalse();
        WasBeaten().Should().BeTrue();
        _items.Disposed.Should().Be(0);
        Follow().Should().BeTrue("it can be followed again");
    }

    [Fact]
    public void One_that_is_left_while_it_moves_is_disposed_of_when_the_move_ends()
    {
        Follow();
        _source.TryLeaveMoving().Should().BeTrue();
        _source.IsLeft.Should().BeTrue();
        _items.Disposed.Should().Be(0);

        _items.Move.SetResult(true);

        _items.Disposed.Should().Be(1);
        _source.HasMoved.Should().BeFalse();
        _source.TryTake().Should().BeFalse();
    }

    [Fact]
    public void One_that_has_moved_after_all_is_not_left()
    {
        Follow();
        _items.Move.SetResult(true);
        _source.TryLeaveMoving().Should().BeFalse();
        _source.TryTake().Should().BeTrue();
        _source.TryLeaveMoving().Should().BeFalse("it does not move");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_stands_still_is_disposed_of_at_once_and_once(bool hasMoved)
    {
        if (hasMoved)
        {
            Follow();
            _items.Move.SetResult(true);
        }
        await _source.LeaveAsync();
        _items.Disposed.Should().Be(1);
        await _source.LeaveAsync();
        _source.LeaveSource();
        _items.Disposed.Should().Be(1);
        _source.IsLeft.Should().BeTrue();
        Follow().Should().BeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Leaving_without_waiting_disposes_of_it_now_or_when_its_move_ends(bool moves)
    {
        if (moves)
            Follow();
        _source.LeaveSource();
        _items.Disposed.Should().Be(moves ? 0 : 1);
        _items.Move.SetResult(false);
        _items.Disposed.Should().Be(1);
    }

    [Fact]
    public async Task Whoever_waits_for_a_move_is_told_that_the_source_was_left()
    {
        Follow();
        var waiting = _signal.WaitAsync().AsTask();
        await _source.LeaveAsync();
        waiting.IsCompletedSuccessfully.Should().BeTrue();
        _items.Disposed.Should().Be(0);
        _items.Move.SetResult(true);
        _items.Disposed.Should().Be(1);
    }
}
