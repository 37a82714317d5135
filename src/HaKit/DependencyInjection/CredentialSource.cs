using HaKit.Attempts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>Describes the source of an endpoint's credential. If an endpoint has several sources, the last one counts.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="Key">The configuration's key. Null: code returns the credential.</param>
internal sealed record CredentialSource(string Pool, string Endpoint, string? Key);

/// <summary>Reports at start-up the credentials that are missing in the configuration.</summary>
internal sealed class CredentialSourceValidator(IEnumerable<CredentialSource> sources, IServiceProvider provider) : IValidateOptions<EndpointPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, EndpointPoolOptions options)
    {
        var last = sources.Where(s => s.Pool == name).GroupBy(s => s.Endpoint, StringComparer.Ordinal).Select(group => group.Last());
        var configuration = provider.GetService<IConfiguration>();
        string[] wrong =
        [
            .. from source in last
               where source.Key is not null
               let address = options.Endpoints?.FirstOrDefault(e => e?.Name == source.Endpoint)?.Address
               let mistake = CredentialInConfiguration.FindMistake(configuration, source.Key!, source.Endpoint, address)
               where mistake is not null
               select $"Pool '{name}': {mistake}",
        ];
        return wrong.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}

/// <summary>Checks a credential in the configuration, and describes the mistake if it cannot be used. No message shows the credential. Pure.</summary>
internal static class CredentialInConfiguration
{
    /// <summary>Gets the sentence about a key that the configuration does not have.</summary>
    public static string Missing(string key, string endpoint) =>
        $"the configuration has no value for {Shown(key)}, which UseCredentialFromConfiguration names as the credential of endpoint '{endpoint}'.";

    /// <summary>Gets the mistake; null when the configuration has a credential that can be sent.</summary>
    /// <param name="configuration">The application's configuration. Null: the container has none.</param>
    /// <param name="key">The configuration's key.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="address">The endpoint's address. Null: it has none.</param>
    public static string? FindMistake(IConfiguration? configuration, string key, string endpoint, string? address)
    {
        if (ShownText.BeginsAsKey(key))
            return $"UseCredentialFromConfiguration of endpoint '{endpoint}' was given what begins as a key does. Give it the name of the setting that has the key, such as 'OpenAI:ApiKey'; UseCredential takes a key from code.";
        if (configuration is null)
            return $"UseCredentialFromConfiguration reads the credential of endpoint '{endpoint}' from an IConfiguration, and the container has none. Register one, or use UseCredential.";
        var section = configuration.GetSection(key);
        if (string.IsNullOrWhiteSpace(section.Value))
            return $"{Missing(key, endpoint)} {Cure(configuration, section)}";
        return (FindMistakeOfValue(section.Value) ?? ForeignKey.FindMistake(section.Value, address)) is { } mistake ? $"{Shown(key)} in the configuration, the credential of endpoint '{endpoint}', {mistake}" : null;
    }

    private static string? FindMistakeOfValue(string secret)
    {
        if (Placeholder.IsSecret(secret))
            return $"{EndpointSecrets.IsPlaceholder} Put the key itself there (user secrets, an environment variable, a vault).";
        return CredentialHeader.IsValid(secret) ? EndpointSecrets.FindForm(secret) : CredentialHeader.HasImpossibleCharacters;
    }

    private static string Cure(IConfiguration configuration, IConfigurationSection section)
    {
        if (section.GetChildren().Select(static c => c.Key).Where(static k => ShownText.IsName(k)).Order(StringComparer.Ordinal).ToArray() is [var first, ..])
            return $"{Shown(section.Path)} is a section: name the setting in it that has the key, such as {Shown($"{section.Path}:{first}")}.";
        var variable = section.Path.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal);
        return $"Add it to the user secrets, or as the environment variable {Shown(variable)}, or name the setting that has the key.{NearHint(configuration, section.Path)}";
    }

    // The hint is about the first part of the path that does not exist, because only this part can be compared with existing names.
    private static string NearHint(IConfiguration configuration, string path)
    {
        foreach (var part in path.Split(ConfigurationPath.KeyDelimiter))
        {
            var next = configuration.GetSection(part);
            if (!next.Exists())
                return NearName.Hint(part, configuration.GetChildren().Select(static c => c.Key).Where(static k => ShownText.IsName(k)));
            configuration = next;
        }
        return "";
    }

    private static string Shown(string key) => ShownText.BeginsAsKey(key) ? "a key that is not shown" : $"'{key}'";
}
