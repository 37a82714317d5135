using System.Globalization;
using System.Net.Http.Headers;

namespace HaKit.Http;

/// <summary>
/// Reads the request's profile from headers that begin with <c>x-ha-</c>, for SDKs that can only add headers. None of these headers leaves the process.
/// </summary>
internal static class ProfileHeaders
{
    private const string Prefix = "x-ha-";

    private static readonly TimeSpan s_longest = TimeSpan.FromDays(1);

    /// <summary>Checks whether a header is only for the pool.</summary>
    public static bool Is(string name) => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Adds the values of the headers to the profile.</summary>
    /// <exception cref="InvalidOperationException">A header with this prefix has an unknown name or an invalid value.</exception>
    public static RequestProfile Read(HttpRequestHeaders headers, RequestProfile profile)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            if (Is(name))
            {
                profile = With(profile, name[Prefix.Length..].ToLowerInvariant(), values.ToString())
                    ?? throw new InvalidOperationException($"The header '{name}' has a name that a pool does not know, or a value that it cannot have.");
            }
        }

        return profile;
    }

    private static RequestProfile? With(RequestProfile profile, string name, string value) => name switch
    {
        "affinity" => profile with { AffinityKey = value },
        "model" => profile with { Model = value },
        "residency" => profile with { Residency = value },
        "tags" => profile with { Tags = List(value) },
        "endpoints" => profile with { Endpoints = List(value) },
        "idempotency-key" => profile with { IdempotencyKey = value },
        "priority" => Number(value) is { } priority ? profile with { Priority = priority } : null,
        "input-tokens" => Number(value) is >= 0 and var tokens ? profile with { InputTokens = tokens } : null,
        "max-output-tokens" => Number(value) is >= 0 and var tokens ? profile with { MaxOutputTokens = tokens } : null,
        "deadline" => Time(value) is { } deadline && deadline > TimeSpan.Zero ? profile with { Deadline = deadline } : null,
        "max-wait" => Time(value) is { } wait ? profile with { MaxWait = wait } : null,
        _ => bool.TryParse(value, out var yes) ? With(profile, name, yes) : null,
    };

    private static RequestProfile? With(RequestProfile profile, string name, bool yes) => name switch
    {
        "tools" => profile with { Tools = yes },
        "vision" => profile with { Vision = yes },
        "may-hedge" => profile with { MayHedge = yes },
        "may-repeat" => profile with { MayRepeat = yes },
        "may-continue" => profile with { MayContinue = yes },
        "move-on-after-content-filter" => profile with { MoveOnAfterContentFilter = yes },
        _ => null,
    };

    private static string[] List(string value) => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static int? Number(string value) => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    // Reads seconds, as in Retry-After, or hh:mm:ss. A plain number is never read as days; TimeSpan.Parse would do that.
    private static TimeSpan? Time(string value)
    {
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return seconds >= 0 && seconds <= s_longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null; // the parser accepts -Infinity and NaN too
        return value.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time) && time >= TimeSpan.Zero && time <= s_longest ? time : null;
    }
}
