namespace HaKit.Dialects;

/// <summary>vLLM and other self-hosted servers, and whatever cannot be told: OpenAI's words, but a refusal speaks for one server only.</summary>
internal sealed class VllmDialect : OpenAIDialect
{
    public static new VllmDialect Instance { get; } = new();

    protected override FaultReach ThrottleReach => FaultReach.Endpoint;
}
