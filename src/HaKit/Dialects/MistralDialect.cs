namespace HaKit.Dialects;

/// <summary><c>{"object":"error","message","type","param","code","raw_status_code"}</c>, or a bare message.</summary>
internal sealed class MistralDialect : OpenAIDialect
{
    public static new MistralDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/fim/completions", AnswerShape.Choices),
        new("/agents/completions", AnswerShape.Choices),
        .. OpenAIDialect.Instance.Paths,
    ];

    protected override bool NamesCompletionTokens => false;

    public override Continuation Continuation => Continuation.AssistantPrefix;

    public override bool RepeatsBeginning => true;

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "service_tier_capacity_exceeded" or "3505" => Verdict.ModelOverloaded,
        "invalid_model" => new Verdict(FaultKind.ModelNotFound),
        _ => base.Meaning(word),
    };
}
