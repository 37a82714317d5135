using HaKit.Availability;

// How the struct is named from each place; that this compiles is most of the test.
internal static class InNoNamespace
{
    public static Availability Half => Availability.Of(0.5m);
}

namespace Acme.Shop
{
    internal static class InAUsersNamespace
    {
        public static Availability Half => Availability.Of(0.5m);
    }
}

namespace HaKit
{
    internal static class InTheLibrarysRoot
    {
        public static Availability.Availability Half => Availability.Availability.Of(0.5m);

        // Every other type is found by its simple name.
        public static Slo Slo => Slo.Default;
    }
}

namespace HaKit.Something
{
    using Availability = HaKit.Availability.Availability;

    internal static class InARoomOfTheLibrary
    {
        public static Availability Half => Availability.Of(0.5m);
    }
}

namespace HaKit.Availability.Tests
{
    public sealed class NamingTests
    {
        [Fact]
        public void The_struct_has_one_name_for_users_and_one_for_the_library_itself()
        {
            var half = Availability.Parse("50%");
            InNoNamespace.Half.Should().Be(half);
            Acme.Shop.InAUsersNamespace.Half.Should().Be(half);
            InTheLibrarysRoot.Half.Should().Be(half);
            InTheLibrarysRoot.Slo.Should().BeSameAs(Slo.Default);
            Something.InARoomOfTheLibrary.Half.Should().Be(half);
        }
    }
}
