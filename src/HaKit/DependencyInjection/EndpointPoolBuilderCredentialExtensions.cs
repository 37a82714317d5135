using HaKit;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Reads the credentials of endpoints from configuration or from code. The credential is read at each attempt and each heartbeat, so it can be rotated without
/// a restart.
/// </summary>
public static class EndpointPoolBuilderCredentialExtensions
{
    /// <summary>
    /// Reads an endpoint's credential from a key of the application's configuration, at the time of each attempt. If the key is missing or empty, the attempt
    /// fails; the caller's credential is not sent, because it is meant for another server. If the key is missing when the pool is created, a warning with its
    /// name is logged.
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

    /// <summary>
    /// Reads an endpoint's credential from code, for example from a vault or a token service. The code runs at each attempt, so it should cache values that
    /// are costly to get.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="source">
    /// Returns the credential. The token is the attempt's token. The credential goes to the header that the endpoint's dialect uses. If the source returns null,
    /// <see cref="EndpointOptions.Credential"/> applies, otherwise the endpoint's headers, otherwise the caller's credential.
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
