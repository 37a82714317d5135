namespace HaKit;

/// <summary>
/// Writes a <see cref="WaitRule"/> for the message of an exception. The message already says why the call ended, so only the rules by which a call waited or tried
/// again are explained.
/// </summary>
internal static class WaitRuleText
{
    public static string Write(WaitRule rule) => Meaning(rule) is { } meaning ? $"{rule} ({meaning})" : rule.ToString();

    private static string? Meaning(WaitRule rule) => rule switch
    {
        WaitRule.CameBack => "an endpoint had come back",
        WaitRule.Retry => "an endpoint served other calls",
        WaitRule.NamedTime => "an endpoint had named a time with Retry-After",
        WaitRule.Pace => "in an outage, the pool makes one trial at a time",
        WaitRule.AnotherAsks => "another call made the trial of the outage",
        WaitRule.Place => "no endpoint had a free place",
        WaitRule.Policy => "OnFault returned Wait",
        WaitRule.Silence => "an attempt was unusually silent",
        _ => null,
    };
}
