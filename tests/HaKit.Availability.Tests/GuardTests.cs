namespace HaKit.Availability.Tests;

/// <summary>Tests the exact limits of each refusal: the value at the limit is accepted, and the next value is refused.</summary>
public sealed class GuardTests
{
    private const double Least = double.Epsilon;
    private const double Most = double.MaxValue;

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(-Least, false)]
    [InlineData(1.0000000000000002, false)]
    [InlineData(double.NaN, false)]
    public void A_probability_may_be_none_or_all(double value, bool allowed) => Allows(() => Guard.Probability(value), value, allowed);

    [Theory]
    [InlineData(0, false)]
    [InlineData(Least, true)]
    [InlineData(0.9999999999999999, true)]
    [InlineData(1, false)]
    [InlineData(double.NaN, false)]
    public void An_open_probability_is_neither(double value, bool allowed) => Allows(() => Guard.OpenProbability(value), value, allowed);

    [Theory]
    [InlineData(0, false)]
    [InlineData(Least, true)]
    [InlineData(1, true)]
    [InlineData(1.0000000000000002, false)]
    [InlineData(double.NaN, false)]
    public void A_share_is_not_none(double value, bool allowed) => Allows(() => Guard.Share(value), value, allowed);

    [Theory]
    [InlineData(0, false)]
    [InlineData(Least, true)]
    [InlineData(Most, true)]
    [InlineData(double.PositiveInfinity, false)]
    [InlineData(double.NaN, false)]
    public void A_positive_number_is_finite(double value, bool allowed) => Allows(() => Guard.Positive(value), value, allowed);

    [Theory]
    [InlineData(-Least, false)]
    [InlineData(0, true)]
    [InlineData(Most, true)]
    [InlineData(double.PositiveInfinity, false)]
    [InlineData(double.NaN, false)]
    public void A_number_that_is_not_negative_may_be_zero_and_is_finite(double value, bool allowed) => Allows(() => Guard.NotNegative(value), value, allowed);

    [Theory]
    [InlineData(-1, false, false)]
    [InlineData(0, false, true)]
    [InlineData(1, true, true)]
    public void Durations_have_the_same_ends(long ticks, bool positive, bool notNegative)
    {
        var value = new TimeSpan(ticks);
        Allows(() => Guard.Positive(value), value, positive);
        Allows(() => Guard.NotNegative(value), value, notNegative);
    }

    [Theory]
    [InlineData(2, false, false)]
    [InlineData(3, true, true)]
    [InlineData(5, true, true)]
    [InlineData(6, true, false)]
    public void Numbers_of_things_include_both_ends(int value, bool atLeast, bool between)
    {
        Allows(() => Guard.AtLeast(3, value), value, atLeast);
        Allows(() => (int)Guard.AtLeast(3L, (long)value), value, atLeast);
        Allows(() => Guard.Between(3, 5, value), value, between);
        Allows(() => (int)Guard.Between(3L, 5L, (long)value), value, between);
    }

    private static void Allows<T>(Func<T> guard, T value, bool allowed)
    {
        if (allowed)
            guard().Should().Be(value);
        else
            guard.Should().Throw<ArgumentOutOfRangeException>().Which.ParamName.Should().EndWith("value");
    }
}
