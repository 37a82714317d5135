using System.Globalization;

namespace HaKit.Testing;

/// <summary>
/// The error answers of each provider, with that provider's bodies and headers:
/// <c>FakeFaults.OpenAI.QuotaExhausted()</c>, <c>FakeFaults.Anthropic.Overloaded()</c>.
/// Faults marked "unverified" follow the provider's documentation, not captured answers. No fault contains a secret.
/// </summary>
public static partial class FakeFaults
{
    private static FakeFault Json(string name, int status, string body) => FakeFault.Status(status, body).Named(name);

    private static FakeFault RetryAfter(this FakeFault fault, TimeSpan? after) =>
        after is { } wait ? fault.WithHeader("Retry-After", Seconds(wait)) : fault;

    // Formats whole seconds, rounded up as servers do, so that a client does not call again too early.
    private static string Seconds(TimeSpan span) => Math.Ceiling(span.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static string Milliseconds(TimeSpan span) => span.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture);

    private static string DecimalSeconds(TimeSpan span) => span.TotalSeconds.ToString("0.#########", CultureInfo.InvariantCulture) + "s";

    /// <summary>Formats a duration as Go does: <c>6ms</c>, <c>1s</c>, <c>6m0s</c>, <c>10h17m5.5s</c>.</summary>
    private static string GoDuration(TimeSpan span)
    {
        if (span < TimeSpan.FromSeconds(1))
            return Milliseconds(span) + "ms";
        var hours = (long)span.TotalHours;
        var seconds = (span - TimeSpan.FromHours(hours) - TimeSpan.FromMinutes(span.Minutes)).TotalSeconds;
        var text = seconds.ToString("0.#########", CultureInfo.InvariantCulture) + "s";
        if (hours > 0)
            return $"{hours}h{span.Minutes}m{text}";
        return span.Minutes > 0 ? $"{span.Minutes}m{text}" : text;
    }
}
