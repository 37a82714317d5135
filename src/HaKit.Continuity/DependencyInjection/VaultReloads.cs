using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace HaKit.Continuity.DependencyInjection;

/// <summary>
/// Warns when a reload changes the section of a running vault, because a vault reads its settings only once. Each change is logged once. Thread-safe.
/// </summary>
/// <param name="vault">The vault's name.</param>
/// <param name="section">The section that describes the vault.</param>
/// <param name="log">The log.</param>
internal sealed partial class VaultReloads(string vault, IConfiguration section, ILogger<VaultReloads> log) : IHostedService, IDisposable
{
    private readonly Lock _gate = new();
    private Dictionary<string, string> _known = [];
    private IDisposable? _watch;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _known = Read();
        _watch = ChangeToken.OnChange(section.GetReloadToken, CompareWithKnown);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _watch?.Dispose();

    private void CompareWithKnown()
    {
        string[] changed;
        lock (_gate)
        {
            var now = Read();
            changed = [.. _known.Keys.Union(now.Keys).Where(name => _known.GetValueOrDefault(name) != now.GetValueOrDefault(name)).Order(StringComparer.Ordinal)];
            _known = now;
        }
        if (changed.Length > 0)
            LogIgnored(vault, string.Join(", ", changed));
    }

    // Only the names of settings are used in messages. Any other text of a section may be a key.
    private Dictionary<string, string> Read() => VaultSettingNames.All
        .Select(name => (Name: name, Values: string.Join('\n', section.GetSection(name).AsEnumerable().Where(static s => s.Value is not null).Select(static s => $"{s.Key}={s.Value}").Order(StringComparer.Ordinal))))
        .Where(static s => s.Values.Length > 0)
        .ToDictionary(static s => s.Name, static s => s.Values, StringComparer.Ordinal);

    [LoggerMessage(5, LogLevel.Warning, "Vault {Vault}: a reload of the configuration changed {Settings}. A running vault does not apply changes. Restart the application.")]
    private partial void LogIgnored(string vault, string settings);
}
