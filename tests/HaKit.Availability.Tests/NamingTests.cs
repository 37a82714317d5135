using HaKit.Availability;

// Names the struct from different places. The test is mostly that this file compiles.
namespace Acme.Shop
{
    internal static class InAUsersNamespace
    {
        public static AvailabilityRatio Half => AvailabilityRatio.From(0.5m);
    }
}

namespace HaKit.Something
{
    internal static class InARoomOfTheLibrary
    {
        public static AvailabilityRatio Half => AvailabilityRatio.From(0.5m);
    }
}

namespace HaKit.Availability.Tests
{
    public sealed class NamingTests
    {
        [Fact]
        public void The_struct_has_one_name_everywhere()
        {
            var half = AvailabilityRatio.Parse("50%");
            Acme.Shop.InAUsersNamespace.Half.Should().Be(half);
            Something.InARoomOfTheLibrary.Half.Should().Be(half);
        }

        [Fact]
        public void No_type_has_the_name_of_a_namespace()
        {
            var types = typeof(AvailabilityRatio).Assembly.GetExportedTypes();
            var words = types.SelectMany(static t => t.Namespace!.Split('.')).ToHashSet();
            types.Select(static t => t.Name).Should().NotContain(name => words.Contains(name));
        }
    }
}
