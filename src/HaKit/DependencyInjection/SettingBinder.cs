using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HaKit.DependencyInjection;

/// <summary>
/// Reads the settings of a pool. The message about a value that cannot be converted does not show the value (<see cref="UnreadableSetting"/>).
/// </summary>
internal static class SettingBinder
{
    /// <exception cref="OptionsValidationException">A value cannot be converted.</exception>
    public static void Bind(IConfiguration section, string pool, EndpointPoolOptions options)
    {
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException unreadable) // the exception is not kept as the inner exception, because its message contains the value
        {
            throw new OptionsValidationException(pool, typeof(EndpointPoolOptions), [$"Pool '{pool}': {UnreadableSetting.Describe(section, unreadable.Message)}"]);
        }
    }
}
