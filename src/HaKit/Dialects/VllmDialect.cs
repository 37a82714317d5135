namespace HaKit.Dialects;

/// <summary>vLLM, other self-hosted servers, and servers of unknown make: OpenAI's format, but a refusal affects one server only.</summary>
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
