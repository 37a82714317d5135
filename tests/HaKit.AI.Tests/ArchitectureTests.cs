using System.Runtime.CompilerServices;

namespace HaKit.AI.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void The_package_stands_on_the_pool_on_Polly_and_on_Microsoft_Extensions_alone() =>
        typeof(EndpointPoolChatClient).Assembly.GetReferencedAssemblies().Select(a => a.Name!)
            .Should().OnlyContain(name => name == "HaKit" || name.StartsWith("Polly.", StringComparison.Ordinal) || name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal) || name.StartsWith("System.", StringComparison.Ordinal));

    [Fact]
    public void It_sees_no_internals_of_the_pool_and_shows_its_own_to_tests_only()
    {
        Friends(typeof(EndpointPool)).Should().NotContain("HaKit.AI");
        Friends(typeof(EndpointPoolChatClient)).Should().OnlyContain(name => name == "HaKit.AI.Tests");

        static IEnumerable<string> Friends(Type type) =>
            type.Assembly.GetCustomAttributes(typeof(InternalsVisibleToAttribute), false).Cast<InternalsVisibleToAttribute>().Select(a => a.AssemblyName);
    }
}
