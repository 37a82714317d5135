using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>Checks a connection string of Redis as it is written. No message shows a value, because a value may be a password. Pure.</summary>
internal static class RedisConnectionString
{
    private const string Example = "'redis:6379,password=…,ssl=true'";

    /// <summary>Returns the mistake in a connection string and its remedy, as the end of a sentence; null if there is no mistake.</summary>
    public static string? FindMistake(string configuration)
    {
        if (Placeholder.IsTemplate(configuration) || Placeholder.IsInAddress(configuration.Split(',')[0]))
            return "has a placeholder in it, such as '<password>' or 'your-host'. Give the real value.";
        if (configuration.Contains("://", StringComparison.Ordinal))
            return $"is an address with a scheme. Write host and port, and then the options, such as {Example}.";
        if (configuration.Contains(';', StringComparison.Ordinal) && !configuration.Contains(',', StringComparison.Ordinal))
            return $"separates its parts with ';'. Write commas, such as in {Example}.";
        if (configuration.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase))
            return "is the name of a setting. Give its value, such as builder.Configuration.GetConnectionString(\"redis\").";
        if (configuration.Length > 1 && configuration[0] == configuration[^1] && configuration[0] is '"' or '\'')
            return "is in quotation marks. Remove them.";
        if (configuration.Split(',').Skip(1).Any(static part => part.Trim() is { Length: > 0 } text && text.All(char.IsAsciiDigit)))
            return $"has a port after a comma. Write a colon between host and port, such as in {Example}.";
        return FindUnreadable(configuration);
    }

    private static string? FindUnreadable(string configuration)
    {
        // The parser's own message may show a value, and an unknown option may be a part of a password that has a comma.
        try
        {
            var options = ConfigurationOptions.Parse(configuration);
            return options.EndPoints.Count > 0 ? null : $"names no server. Begin with host and port, such as in {Example}.";
        }
        catch (ArgumentException)
        {
            var wrong = configuration.Split(',').Skip(1).Select(static part => part.Split('=')[0].Trim()).FirstOrDefault(name => !IsReadable($"redis:6379,{Part(configuration, name)}"));
            return wrong is { Length: > 0 and <= 24 } && wrong.All(char.IsAsciiLetter)
                ? $"has the option '{wrong}', which StackExchange.Redis does not know, or a value of it that StackExchange.Redis cannot read. An example is {Example}; yes and no are written true and false."
                : $"StackExchange.Redis cannot read. An example is {Example}.";
        }
    }

    private static string Part(string configuration, string name) => configuration.Split(',').Skip(1).First(part => part.Split('=')[0].Trim() == name);

    private static bool IsReadable(string configuration)
    {
        try
        {
            ConfigurationOptions.Parse(configuration);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
