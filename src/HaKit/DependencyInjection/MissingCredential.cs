using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>
/// Refuses a credential for an endpoint that the pool does not have. A pool that may start empty is not checked, because it gets its endpoints later.
/// </summary>
/// <param name="pool">The pool's name.</param>
/// <param name="endpoint">The endpoint's name.</param>
internal sealed class CredentialNameValidator(string pool, string endpoint) : IValidateOptions<EndpointPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, EndpointPoolOptions options)
    {
        if (name != pool)
        {
            return ValidateOptionsResult.Skip;
        }
        var names = options.Endpoints.Where(e => e is not null).Select(e => e.Name).ToArray();
        return options.AllowEmpty || names.Length == 0 || names.Contains(endpoint, StringComparer.Ordinal)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Pool '{pool}': UseCredential names the endpoint '{endpoint}', which the pool does not have.{NearName.Hint(endpoint, names)}");
    }
}

/// <summary>Warns at start-up about a credential whose configuration key does not exist.</summary>
internal static partial class MissingCredential
{
    public static void WarnIfMissing(IServiceProvider provider, string pool, string endpoint, string key)
    {
        if (provider.GetService<IConfiguration>() is { } configuration && string.IsNullOrEmpty(configuration[key]) && provider.GetService<ILoggerFactory>() is { } loggers)
        {
            NoKey(loggers.CreateLogger("HaKit.Http"), pool, key, endpoint);
        }
    }

    [LoggerMessage(18, LogLevel.Warning, "Pool {Pool}: the configuration has no '{Key}', which is to be the credential of endpoint '{Endpoint}': its attempts fail until the key is there. Add it to the configuration (user secrets, environment variables, a vault).")]
    private static partial void NoKey(ILogger logger, string pool, string key, string endpoint);
}
