using System.Globalization;
using System.Net.Http.Headers;

namespace HaKit.Http;

/// <summary>
/// Reads the request's profile from headers that begin with <c>x-ha-</c>, for SDKs that can only add headers. None of these headers leaves the process.
/// </summary>
internal static class ProfileHeaders
{
    private const string Prefix = "x-ha-";

    private static readonly string[] s_names =
        ["affinity", "model", "residency", "tags", "endpoints", "idempotency-key", "priority", "input-tokens", "longest-input-tokens", "max-output-tokens", "deadline", "max-wait"];

    private static readonly string[] s_switches =
        ["tools", "vision", "is-input-estimated", "may-hedge", "may-repeat", "may-continue", "move-on-after-content-filter"];

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
                    ?? throw new InvalidOperationException(MistakeOf(name));
            }
        }

        return profile;
    }

    // The value is not shown, because it comes from a caller.
    private static string MistakeOf(string header)
    {
        var name = header[Prefix.Length..].ToLowerInvariant();
        if (name is "priority" or "input-tokens" or "longest-input-tokens" or "max-output-tokens")
            return $"The header '{header}' has a value that is no whole number: write a number such as 1.";
        if (name is "deadline" or "max-wait")
            return $"The header '{header}' has a value that is no time: write seconds such as 30, or 00:00:30, at most a day.";
        return s_switches.Contains(name)
            ? $"The header '{header}' has another value than true or false: write one of these."
            : $"The header '{header}' has a name that a pool does not know. The names are {string.Join(", ", s_names.Concat(s_switches).Select(n => Prefix + n))}.";
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
        "longest-input-tokens" => Number(value) is >= 0 and var tokens ? profile with { LongestInputTokens = tokens } : null,
        "max-output-tokens" => Number(value) is >= 0 and var tokens ? profile with { MaxOutputTokens = tokens } : null,
        "deadline" => Time(value) is { } deadline && deadline > TimeSpan.Zero ? profile with { Deadline = deadline } : null,
        "max-wait" => Time(value) is { } wait ? profile with { MaxWait = wait } : null,
        _ => bool.TryParse(value, out var yes) ? With(profile, name, yes) : null,
    };

    private static RequestProfile? With(RequestProfile profile, string name, bool yes) => name switch
    {
        "tools" => profile with { Tools = yes },
        "vision" => profile with { Vision = yes },
        "is-input-estimated" => profile with { IsInputEstimated = yes },
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
