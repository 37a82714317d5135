using System.Globalization;

namespace HaKit.AI;

/// <summary>Checks the options of clients over a pool. A message names the option, its value, the client and the remedy. Pure.</summary>
internal static class ClientOptions
{
    /// <exception cref="ArgumentNullException">The profile is null.</exception>
    public static void ThrowIfNull(string client, RequestProfile? profile)
    {
        if (profile is null)
            throw new ArgumentNullException(nameof(profile), $"{client}: Profile is null. Give a RequestProfile, or leave Profile at its default.");
    }

    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public static void ThrowIfBelowOne(string client, string option, int value)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(option, string.Create(CultureInfo.InvariantCulture, $"{client}: {option} is {value}, and at least 1 is needed."));
    }
}
