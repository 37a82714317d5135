using HaKit;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Reads the credentials of endpoints from configuration or from code. The credential is read at each attempt and each heartbeat, so it can be rotated without
/// a restart.
/// </summary>
public static class EndpointPoolBuilderCredentialExtensions
{
    /// <summary>
    /// Reads an endpoint's credential from a key of the application's configuration, at the time of each attempt. A key that is missing, empty or a placeholder
    /// is refused at start-up. If the key disappears later, the endpoint's attempts fail; the caller's credential is not sent instead, because that credential
    /// is meant for another server.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="key">The configuration's key, for example <c>OpenAI:ApiKey</c>.</param>
    /// <exception cref="OptionsValidationException">At start-up: the pool has no endpoint of this name, or the configuration has no credential under this key.</exception>
    public static IEndpointPoolBuilder UseCredentialFromConfiguration(this IEndpointPoolBuilder builder, string endpoint, string key)
    {
        GivenName.ThrowIfBlank(key, nameof(key), $"UseCredentialFromConfiguration of endpoint '{endpoint}'", "a setting", "OpenAI:ApiKey");
        return builder.UseCredential(endpoint, key, (provider, _) => provider.GetRequiredService<IConfiguration>()[key] is { Length: > 0 } secret
            ? new(secret)
            : throw new InvalidOperationException($"Pool '{builder.Name}': {CredentialInConfiguration.Missing(key, endpoint)}"));
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
        ArgumentNullException.ThrowIfNull(source);
        return builder.UseCredential(endpoint, null, (provider, token) => AskAsync(source, provider, endpoint, token));
    }

    private static async ValueTask<string?> AskAsync(Func<IServiceProvider, CancellationToken, ValueTask<string?>> source, IServiceProvider provider, string endpoint, CancellationToken token)
    {
        try
        {
            return await source(provider, token).ConfigureAwait(false);
        }
        catch (InvalidOperationException refused) when (ScopedService.IsRefusedIn(refused))
        {
            throw new InvalidOperationException($"UseCredential of endpoint '{endpoint}' asks for a scoped service, and it runs outside a scope. Create a scope in the function, with provider.CreateAsyncScope(). {refused.Message}", refused);
        }
    }

    private static IEndpointPoolBuilder UseCredential(
        this IEndpointPoolBuilder builder, string endpoint, string? key, Func<IServiceProvider, CancellationToken, ValueTask<string?>> source)
    {
        ArgumentNullException.ThrowIfNull(builder);
        GivenName.ThrowIfBlank(endpoint, nameof(endpoint), $"{(key is null ? "UseCredential" : "UseCredentialFromConfiguration")} of pool '{builder.Name}'", "an endpoint", "openai");
        EndpointNameUse.Add(builder, endpoint, key is null ? "UseCredential" : "UseCredentialFromConfiguration");
        builder.Services.AddSingleton(new CredentialSource(builder.Name, endpoint, key));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EndpointPoolOptions>, CredentialSourceValidator>());
        return builder.ConfigureParts((provider, parts) =>
        {
            var others = parts.Credential;
            parts.Credential = (asked, token) => asked.Name == endpoint ? source(provider, token) : others?.Invoke(asked, token) ?? default;
        });
    }
}
