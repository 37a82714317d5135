namespace HaKit.Dialects;

/// <summary><c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
internal sealed class AnthropicDialect : OpenAIDialect
{
    public static new AnthropicDialect Instance { get; } = new();

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "enforced_spend_limit_reached" => Verdict.Quota,
        _ => base.Meaning(word),
    };
}
