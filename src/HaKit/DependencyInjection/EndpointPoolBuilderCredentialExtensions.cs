using HaKit;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Gives endpoints their credentials from where secrets are kept. They are asked for at each attempt, and each heartbeat, so they rotate without a restart.</summary>
public static class EndpointPoolBuilderCredentialExtensions
{
    /// <summary>
    /// Takes an endpoint's credential from a key of the application's configuration, as it is at the time of each attempt. When the key is missing or
    /// empty the attempt fails, rather than send the caller's credential, which is meant for another server. A key that is missing when the pool is made is
    /// named in the log, at Warning.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="key">The configuration's key, for example <c>OpenAI:ApiKey</c>.</param>
    public static IEndpointPoolBuilder UseCredentialFromConfiguration(this IEndpointPoolBuilder builder, string endpoint, string key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        builder.ConfigureParts((provider, _) => MissingCredential.WarnIfMissing(provider, builder.Name, endpoint, key));
        return builder.UseCredential(endpoint, (provider, _) => provider.GetRequiredService<IConfiguration>()[key] is { Length: > 0 } secret
            ? new(secret)
            : throw new InvalidOperationException($"The configuration has no '{key}', which is to be the credential of endpoint '{endpoint}'."));
    }

    /// <summary>Takes an endpoint's credential from code, for example from a vault or a token service. It is asked for each attempt, so your code caches what is costly to get.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="source">
    /// Gives it. The token is the attempt's. It goes where the endpoint's dialect wants it; a null answer leaves <see cref="EndpointOptions.Credential"/>,
    /// the endpoint's headers, or else the caller's.
    /// </param>
    /// <exception cref="OptionsValidationException">At start-up: the pool has no endpoint of this name.</exception>
    public static IEndpointPoolBuilder UseCredential(this IEndpointPoolBuilder builder, string endpoint, Func<IServiceProvider, CancellationToken, ValueTask<string?>> source)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(endpoint);
        ArgumentNullException.ThrowIfNull(source);
        builder.Services.AddSingleton<IValidateOptions<EndpointPoolOptions>>(new CredentialNameValidator(builder.Name, endpoint));
        return builder.ConfigureParts((provider, parts) =>
        {
            var others = parts.Credential;
            parts.Credential = (asked, token) => asked.Name == endpoint ? source(provider, token) : others?.Invoke(asked, token) ?? default;
        });
    }
}
