using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class SampleWindowTests
{
    private readonly SampleWindow _window = new(TimeSpan.FromSeconds(10));

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private void Succeed(double seconds)
    {
        if (_window.TryCountSuccess(At(seconds)))
            return;
        _window.Roll(At(seconds));
        _window.TryCountSuccess(At(seconds)).Should().BeTrue();
    }

    [Fact]
    public void What_happened_counts_for_ten_buckets_and_no_longer()
    {
        Succeed(100.5);
        _window.CountFailure(At(100.9));
        _window.Sum(At(109.999)).Should().Be((2, 1));
        _window.Sum(At(110)).Should().Be((0, 0));
    }

    [Fact]
    public void A_success_without_the_lock_is_refused_from_the_end_of_its_bucket_on()
    {
        _window.TryCountSuccess(At(100)).Should().BeFalse("there is no bucket yet");
        _window.Roll(At(100));
        _window.TryCountSuccess(At(100.999)).Should().BeTrue();
        _window.TryCountSuccess(At(101)).Should().BeFalse();
        _window.Sum(At(101)).Should().Be((1, 0));
    }

    [Fact]
    public void A_bucket_that_is_used_again_starts_empty()
    {
        for (var second = 100; second < 135; second++)
        {
            Succeed(second);
            Succeed(second + 0.5);
            _window.CountFailure(At(second + 0.6));
        }

        _window.Sum(At(134.9)).Should().Be((30, 10));
        _window.Sum(At(139.9)).Should().Be((15, 5));
    }

    [Fact]
    public void Cleared_it_is_empty_and_goes_on()
    {
        Succeed(100);
        _window.CountFailure(At(102));
        _window.Clear();
        _window.Sum(At(102)).Should().Be((0, 0));
        Succeed(102);
        _window.Sum(At(102)).Should().Be((1, 0));
    }
}
