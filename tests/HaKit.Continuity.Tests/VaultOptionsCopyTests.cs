namespace HaKit.Continuity.Tests;

/// <summary>A vault uses a copy of its options, which later changes do not affect.</summary>
public sealed class VaultOptionsCopyTests : VaultTestBase
{
    [Fact(Timeout = Limit)]
    public async Task What_the_caller_changes_in_the_options_after_the_vault_was_made_takes_no_effect()
    {
        WriteSome();
        VaultOptions options = null!;
        var state = Path.Combine(Root, "latest");
        await using var vault = Make([("a", new MemoryDestination())], configure: o => (options = o).StateFile = state);
        options.StateFile = Path.Combine(Root, "another");
        (options.OperationTimeout, options.Grace) = (TimeSpan.Zero, TimeSpan.MinValue);
        options.Destinations.Clear();
        options.Keys.Clear();

        await vault.SaveAsync(Source, cancellationToken: Token);
        File.Exists(state).Should().BeTrue();
        File.Exists(options.StateFile).Should().BeFalse();
    }

    [Fact]
    public void A_destination_in_code_is_not_null() =>
        FluentActions.Invoking(() => new VaultDestinationOptions().Use(null!)).Should().Throw<ArgumentNullException>().WithParameterName("destination");
}
