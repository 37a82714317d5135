using HaKit.DependencyInjection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HaKit.Continuity.DependencyInjection;

/// <summary>Holds the name of a registered vault.</summary>
internal sealed record VaultRegistration(string Name);

/// <summary>Records that another registration depends on a vault of this name.</summary>
internal sealed record VaultUse(string Vault, string By);

/// <summary>Throws at start-up if a registration names a vault that does not exist.</summary>
internal sealed class VaultNames(IEnumerable<VaultRegistration> registrations, IEnumerable<VaultUse> uses) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        string[] known = [.. registrations.Select(static r => r.Name)];
        string[] wrong = [.. uses.Where(u => !known.Contains(u.Vault, StringComparer.Ordinal)).Select(u => $"{u.By} uses the vault '{u.Vault}', which is not registered.{HintOf(u.Vault, known)}")];
        return wrong.Length == 0 ? Task.CompletedTask : throw new OptionsValidationException("vaults", typeof(VaultOptions), wrong);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Gets the only registered vault, for a request without a name.</summary>
    /// <exception cref="InvalidOperationException">Several vaults are registered.</exception>
    public static Vault GetOnlyVault(IServiceProvider provider)
    {
        string[] names = [.. provider.GetServices<VaultRegistration>().Select(static r => r.Name)];
        return names is [var only]
            ? provider.GetRequiredKeyedService<Vault>(only)
            : throw new InvalidOperationException($"There are several services of the type Vault, {NearName.List(names)}: ask for one by its name, with GetRequiredKeyedService or [FromKeyedServices].");
    }

    /// <summary>Creates the exception for a request for a vault with an unknown name.</summary>
    public static InvalidOperationException Unknown(IServiceProvider provider, object? key) =>
        new($"There is no vault '{key}'.{HintOf(key as string ?? "", [.. provider.GetServices<VaultRegistration>().Select(static r => r.Name)])}");

    private static string HintOf(string name, string[] known) => known.Length == 0
        ? " AddHaVault registers a vault."
        : $"{NearName.Hint(name, known)} AddHaVault has registered {NearName.List(known)}.";
}
