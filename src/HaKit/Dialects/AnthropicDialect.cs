namespace HaKit.Dialects;

/// <summary><c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
internal sealed class AnthropicDialect : OpenAIDialect
{
    public static new AnthropicDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/messages/count_tokens", AnswerShape.Count),
        new("/messages", AnswerShape.Content, IsTelling: false),
        new("/complete", AnswerShape.Object, IsTelling: false),
    ];

    public override CredentialPlace Credential => new("x-api-key");

    public override UsageNames Usage => new("usage", "input_tokens", "output_tokens");

    public override bool IsUnmistakable(in ErrorSigns signs) => signs.IsTypeError && signs.HasErrorObject && signs.Code.IsEmpty;

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "enforced_spend_limit_reached" => Verdict.Quota,
        _ => base.Meaning(word),
    };
}
