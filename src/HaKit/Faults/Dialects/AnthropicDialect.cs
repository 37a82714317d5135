namespace HaKit.Faults.Dialects;

/// <summary><c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
internal sealed class AnthropicDialect : Dialect
{
    public static AnthropicDialect Instance { get; } = new();

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "billing_error" or "enforced_spend_limit_reached" => Verdict.Quota,
        "overloaded_error" => Verdict.ModelOverloaded,
        _ => null,
    };
}
