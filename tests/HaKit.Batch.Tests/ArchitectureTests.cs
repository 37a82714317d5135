using System.Runtime.CompilerServices;

namespace HaKit.Batch.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void The_package_stands_on_the_pool_the_adapter_and_the_abstractions_alone() =>
        typeof(BatchJournal).Assembly.GetReferencedAssemblies().Select(static a => a.Name!)
            .Should().OnlyContain(static name => name == "HaKit" || name == "HaKit.AI" || name.StartsWith("Microsoft.Extensions.") || name.StartsWith("System.") || name == "Microsoft.Win32.Primitives");

    [Fact]
    public void It_sees_no_internals_of_the_pool() =>
        typeof(EndpointPool).Assembly.GetCustomAttributes(typeof(InternalsVisibleToAttribute), false).Cast<InternalsVisibleToAttribute>()
            .Select(static a => a.AssemblyName).Should().NotContain("HaKit.Batch");
}
