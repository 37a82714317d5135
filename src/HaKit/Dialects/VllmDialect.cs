namespace HaKit.Dialects;

/// <summary>vLLM and other self-hosted servers, and whatever cannot be told: OpenAI's words, but a refusal speaks for one server only.</summary>
internal sealed class VllmDialect : OpenAIDialect
{
    public static new VllmDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/score", AnswerShape.Results, IsTelling: false),
        new("/pooling", AnswerShape.Data, IsTelling: false),
        new("/classify", AnswerShape.Data, IsTelling: false),
        .. OpenAIDialect.Instance.Paths,
    ];

    protected override bool NamesCompletionTokens => false;

    protected override FaultReach ThrottleReach => FaultReach.Endpoint;
}
