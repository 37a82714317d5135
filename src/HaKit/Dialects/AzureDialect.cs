namespace HaKit.Dialects;

/// <summary>OpenAI's error codes plus Azure's own. Limits belong to a deployment, and each deployment is one endpoint.</summary>
internal sealed class AzureDialect : OpenAIDialect
{
    public static new AzureDialect Instance { get; } = new();

    public override CredentialPlace Credential => new("api-key");

    public override ModelPlace? ModelInPath { get; } = new("/deployments/", '/', NeedsMark: false);

    // The dated interface (/openai/deployments/…) refuses members that were introduced after the requested API version.
    public override bool TakesPromptCacheKey(string path) => path.Contains("/openai/v1/", StringComparison.Ordinal) && IsChat(path);

    protected override FaultReach ThrottleReach => FaultReach.Endpoint;

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        // Azure grants quota per region and SKU; a pay-as-you-go account has no credit that can run out.
        "insufficient_quota" or "InsufficientQuota" or "QuotaExceeded" => Verdict.Quota with { Reach = FaultReach.Region },
        "NoCapacity" => new Verdict(FaultKind.Overloaded, FaultReach.Region),
        "DeploymentNotFound" or "ModelDeprecated" => new Verdict(FaultKind.ModelNotFound),
        _ => base.Meaning(word),
    };
}
