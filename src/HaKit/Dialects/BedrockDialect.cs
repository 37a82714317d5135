namespace HaKit.Dialects;

/// <summary>
/// The name of the exception is in a header, in <c>__type</c>, or in the name of a stream event's member. Limits belong to an account, a region and a model.
/// </summary>
internal sealed class BedrockDialect : OpenAIDialect
{
    public static new BedrockDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/converse", AnswerShape.Converse, IsTelling: false),
        new("/converse-stream", AnswerShape.Any),
        new("/invoke", AnswerShape.Object, IsTelling: false),
        new("/invoke-with-response-stream", AnswerShape.Any),
        .. OpenAIDialect.Instance.Paths,
    ];

    public override ModelPlace? ModelInPath { get; } = new("/model/", '/', NeedsMark: true);

    public override UsageNames Usage { get; } = new("usage", "inputTokens", "outputTokens") { Cached = "cacheReadInputTokens", Written = "cacheWriteInputTokens" };

    public override bool LimitsCountCachedTokens => false;

    protected override bool NamesCompletionTokens => false;

    // Bedrock's interface for OpenAI clients is below /openai.
    public override CompletionRequest Completion(string folder, string? model, int maxTokens) => folder.Contains("/openai", StringComparison.Ordinal)
        ? base.Completion(folder, model, maxTokens)
        : new($"/model/{Uri.EscapeDataString(model ?? "")}/converse", CompletionRequest.Write(json =>
        {
            CompletionRequest.WriteParts(json, "messages", "content", "user");
            CompletionRequest.WriteLimit(json, "inferenceConfig", "maxTokens", maxTokens);
        }));

    public override bool IsUnmistakable(in ErrorSigns signs) => !signs.Exception.IsEmpty;

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "ServiceQuotaExceededException" => Verdict.Quota,
        "UnrecognizedClientException" or "ExpiredTokenException" or "ExpiredToken" or "InvalidSignatureException" or "InvalidClientTokenId"
            or "IncompleteSignature" or "MissingAuthenticationToken" or "MissingAuthenticationTokenException" => Verdict.BadKey,
        // Amazon's common errors have status 400.
        "ThrottlingException" or "throttlingException" or "Throttling" or "ThrottledException" or "RequestThrottled" or "RequestThrottledException" or "TooManyRequestsException" or "RequestLimitExceeded"
            or "ModelNotReadyException" or "modelNotReadyException" => new Verdict(FaultKind.Throttled),
        "ServiceUnavailableException" or "serviceUnavailableException" or "ServiceUnavailable" => new Verdict(FaultKind.Overloaded),
        "InternalServerException" or "internalServerException" or "InternalFailure" => new Verdict(FaultKind.ServerError),
        "ResourceNotFoundException" => new Verdict(FaultKind.ModelNotFound),
        "ModelErrorException" or "ModelTimeoutException" or "ModelStreamErrorException" => new Verdict(FaultKind.ServerError),
        "modelTimeoutException" or "modelStreamErrorException" => new Verdict(FaultKind.ServerError),
        _ => base.Meaning(word),
    };

    protected override int StatusOf(ReadOnlySpan<char> word) => word switch
    {
        "ValidationException" or "validationException" => 400,
        "AccessDeniedException" or "accessDeniedException" => 403,
        "ThrottlingException" or "throttlingException" or "ModelNotReadyException" or "modelNotReadyException" or "Throttling" or "ThrottledException" or "RequestThrottled"
            or "RequestThrottledException" or "TooManyRequestsException" or "RequestLimitExceeded" => 429,
        "InternalServerException" or "internalServerException" => 500,
        "ServiceUnavailableException" or "serviceUnavailableException" => 503,
        _ => base.StatusOf(word),
    };
}
