namespace HaKit.Continuity.Tests;

/// <summary>Tests the operations of a disposed vault.</summary>
public sealed class DisposalTests : VaultTestBase
{
    [Fact(Timeout = Limit)]
    public async Task Every_operation_of_a_vault_that_was_disposed_of_says_so()
    {
        WriteSome();
        var vault = Make([("a", new MemoryDestination())]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        await vault.DisposeAsync();
        await vault.DisposeAsync();

        var target = Path.Combine(Root, "target");
        Func<Task>[] operations =
        [
            () => vault.SaveAsync(Source, cancellationToken: Token),
            () => vault.RestoreAsync("latest", target, Token),
            () => vault.ListAsync(Token),
            () => vault.CheckAsync(Token),
            () => vault.SyncAsync(Token),
            () => vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token),
            () => vault.RekeyAsync(Token),
            () => vault.RehearseAsync(Token),
            async () =>
            {
                await foreach (var _ in vault.FollowAsync(target, TimeSpan.FromMinutes(1), Token))
                {
                }
            },
        ];
        foreach (var operation in operations)
            (await operation.Should().ThrowAsync<ObjectDisposedException>()).Which.ObjectName.Should().Be(typeof(Vault).FullName);
        Directory.Exists(target).Should().BeFalse();
    }
}
