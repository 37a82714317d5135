using System.Reflection;
using System.Text.Json;

namespace HaKit.Tests.Selection;

/// <summary>Profiles are compared by value, so that they can be the keys of a cache or the expected value of a test.</summary>
public sealed class ProfileEqualityTests
{
    private static readonly PropertyInfo[] s_properties = [.. typeof(RequestProfile).GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(p => p.CanWrite)];

    public static TheoryData<string> Properties() => [.. s_properties.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Properties))]
    public void Two_profiles_are_equal_if_a_property_has_the_same_value_and_different_if_it_has_another(string name)
    {
        var property = s_properties.Single(p => p.Name == name);
        RequestProfile one = With(property, 1), same = With(property, 1), other = With(property, 2);
        one.Should().Be(same).And.NotBe(other).And.NotBe(RequestProfile.Default);
        one.GetHashCode().Should().Be(same.GetHashCode());
        (one with { Priority = 7 }).Should().Be(same with { Priority = 7 });
    }

    [Theory]
    [InlineData(new[] { "a", "b" }, new[] { "a", "b" }, true)]
    [InlineData(new[] { "a", "b" }, new[] { "b", "a" }, false)]
    [InlineData(new[] { "a" }, new[] { "A" }, false)]
    [InlineData(new[] { "a" }, new[] { "a", "b" }, false)]
    [InlineData(new[] { "ab" }, new[] { "a", "b" }, false)]
    [InlineData(new string[0], new string[0], true)]
    public void The_names_in_the_lists_decide_and_the_kind_of_list_does_not(string[] names, string[] others, bool areEqual)
    {
        var one = new RequestProfile { Tags = names, Endpoints = names };
        var other = new RequestProfile { Tags = [.. others], Endpoints = new List<string>(others).AsReadOnly() };
        (one == other).Should().Be(areEqual);
        if (areEqual)
            one.GetHashCode().Should().Be(other.GetHashCode());
    }

    [Fact]
    public void A_profile_that_was_written_as_JSON_and_read_again_is_equal()
    {
        var profile = new RequestProfile { Model = "m", Tags = ["gpu", "cheap"], Endpoints = ["a"], Deadline = TimeSpan.FromSeconds(3), MayHedge = false };
        JsonSerializer.Deserialize<RequestProfile>(JsonSerializer.Serialize(profile)).Should().Be(profile);
    }

    private static RequestProfile With(PropertyInfo property, int value)
    {
        var profile = new RequestProfile();
        property.SetValue(profile, ValueOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, value, property.GetValue(profile)));
        return profile;
    }

    private static object ValueOf(Type type, int value, object? old)
    {
        if (type == typeof(string))
            return $"value {value}";
        if (type == typeof(int))
            return value;
        if (type == typeof(bool))
            return value == 1 ? !(old as bool? ?? false) : old as bool? is null ? false : old;
        if (type == typeof(TimeSpan))
            return TimeSpan.FromSeconds(value);
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(value)!;
        return type == typeof(IReadOnlyList<string>) ? new[] { "name", $"{value}" } : throw new NotSupportedException($"Give this test two values of {type}.");
    }
}
