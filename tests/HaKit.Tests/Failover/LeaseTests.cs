using System.Reflection;
using HaKit.Attempts;

namespace HaKit.Tests.Failover;

public sealed class LeaseTests
{
    // A nullable number is two words. A thread that completes the attempt could read the new first word together with the old second word.
    [Fact]
    public void No_number_of_an_attempt_can_be_read_half_written()
    {
        var fields = typeof(Lease).GetNestedTypes(BindingFlags.NonPublic).Single().GetFields();
        fields.Should().NotBeEmpty();
        fields.Where(static f => Nullable.GetUnderlyingType(f.FieldType) is not null).Select(static f => f.Name).Should().BeEmpty();
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(0L, 0L)]
    [InlineData(7L, 7L)]
    [InlineData(-7L, 0L)]
    public void An_optional_number_holds_a_number_of_at_least_0_or_none(long? given, long? expected)
    {
        var number = default(OptionalNumber);
        number.Value.Should().BeNull();
        number.Value = given;
        number.Value.Should().Be(expected);
        number.Value = null;
        number.Value.Should().BeNull();
    }
}
