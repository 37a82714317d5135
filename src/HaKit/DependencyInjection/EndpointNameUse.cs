using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>Describes a registration for one endpoint of a pool.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="By">The method that names the endpoint.</param>
internal sealed record EndpointNameUse(string Pool, string Endpoint, string By)
{
    /// <summary>Adds a start-up check that the pool has an endpoint of this name.</summary>
    public static void Add(IEndpointPoolBuilder builder, string endpoint, string by)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new EndpointNameUse(builder.Name, endpoint, by));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EndpointPoolOptions>, EndpointNameUseValidator>());
    }
}

/// <summary>
/// Reports at start-up the registrations for endpoints that the pool does not have. A pool that may start empty is not checked, because its endpoints come
/// later.
/// </summary>
internal sealed class EndpointNameUseValidator(IEnumerable<EndpointNameUse> uses) : IValidateOptions<EndpointPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, EndpointPoolOptions options)
    {
        var names = (options.Endpoints ?? []).Where(static e => e is not null).Select(static e => e.Name).ToArray();
        if (options.AllowEmpty || names.Length == 0)
            return ValidateOptionsResult.Success;
        string[] wrong =
        [
            .. from use in uses.Distinct()
               where use.Pool == name && !names.Contains(use.Endpoint, StringComparer.Ordinal)
               select $"Pool '{name}': {use.By} names the endpoint '{use.Endpoint}', which the pool does not have.{NearName.Hint(use.Endpoint, names)} It has {NearName.List(names)}.",
        ];
        return wrong.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
