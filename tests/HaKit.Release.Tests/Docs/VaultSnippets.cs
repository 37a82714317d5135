using HaKit.Continuity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HaKit.Release.Tests;

/// <summary>The code of the page on the vault.</summary>
public sealed class VaultSnippets
{
    [Fact]
    public async Task A_vault_that_saves_restores_checks_and_syncs()
    {
        var folder = Directory.CreateTempSubdirectory("vault-page-").FullName;
        var token = TestContext.Current.CancellationToken;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "app"));
            await File.WriteAllTextAsync(Path.Combine(folder, "app", "state"), "kept", token);
            var builder = Host.CreateApplicationBuilder();
            builder.Configuration["Vault:Destinations:0:Name"] = "disk";
            builder.Configuration["Vault:Destinations:0:Folder"] = Path.Combine(folder, "one");
            builder.Configuration["Vault:Destinations:1:Name"] = "share";
            builder.Configuration["Vault:Destinations:1:Folder"] = Path.Combine(folder, "two");
            builder.Configuration["Vault:Keys:1"] = Convert.ToBase64String(new byte[32]);
            var services = builder.Services;
            services.AddHaVault("state", builder.Configuration.GetSection("Vault"));
            using var app = builder.Build();

            var vault = app.Services.GetRequiredKeyedService<Vault>("state");
            var saved = await vault.SaveAsync(Path.Combine(folder, "app"), copies: 2, token);
            await vault.RestoreAsync(saved.Id, Path.Combine(folder, "app.restored"), token);
            var report = await vault.CheckAsync(token);
            await vault.SyncAsync(token);

            report.IsGood.Should().BeTrue();
            File.ReadAllText(Path.Combine(folder, "app.restored", "state")).Should().Be("kept");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
