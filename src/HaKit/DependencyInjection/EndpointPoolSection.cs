using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>Reports unknown names in a section. Also reports a missing section, if the pool would be empty.</summary>
internal sealed class EndpointPoolSectionValidator(string pool, IConfiguration section) : IValidateOptions<EndpointPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, EndpointPoolOptions options)
    {
        if (name != pool)
            return ValidateOptionsResult.Skip;
        var wrong = new List<string>();
        // The root of the configuration also contains environment variables and other settings, so its names cannot be checked.
        if (section is IConfigurationSection own)
            SettingNames.Pool(own, wrong);
        if (options.Endpoints is null or { Count: 0 } && !options.AllowEmpty && WhyEmpty() is { } why)
            wrong.Add(why);
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(w => $"Pool '{pool}': {w}"));
    }

    private string? WhyEmpty() => section switch
    {
        IConfigurationSection own when own.Exists() => null,
        IConfigurationSection missing => $"the configuration has no section '{missing.Path}'. Give AddHaEndpointPool or AddHaOpenAIClient the section that has the Endpoints.",
        _ when section.GetSection("Endpoints").Exists() => null,
        _ => $"AddHaEndpointPool was given the whole configuration, which has no Endpoints. Give it the pool's section: GetSection(\"{pool}\").",
    };
}

/// <summary>Holds the section that describes a pool.</summary>
internal sealed record EndpointPoolSection(string Pool, IConfigurationSection Section);
