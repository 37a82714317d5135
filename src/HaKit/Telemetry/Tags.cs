namespace HaKit.Telemetry;

/// <summary>Contains the names of tags on metrics and spans. The names come from OpenTelemetry's semantic conventions, where these have a name.</summary>
internal static class Tags
{
    public const string Pool = "hakit.pool";
    public const string Endpoint = "hakit.endpoint";
    public const string To = "hakit.endpoint.next";
    public const string WaitRule = "hakit.wait.rule";
    public const string WaitRules = "hakit.wait.rules";
    public const string Seams = "hakit.seams";
    public const string Outcome = "hakit.outcome";
    public const string State = "hakit.state";
    public const string Limit = "hakit.limit";
    public const string Domain = "hakit.domain";
    public const string DomainName = "hakit.domain.name";
    public const string Kind = "hakit.kind";
    public const string Window = "hakit.window";
    public const string Alert = "hakit.alert";
    public const string Attempt = "hakit.attempt";
    public const string Stream = "hakit.stream";
    public const string ErrorType = "error.type";
    public const string Status = "http.response.status_code";
    public const string ServerAddress = "server.address";
    public const string ServerPort = "server.port";
    public const string Provider = "gen_ai.provider.name";
    public const string Model = "gen_ai.request.model";
    public const string Operation = "gen_ai.operation.name";
    public const string TokenType = "gen_ai.token.type";
    public const string InputTokens = "gen_ai.usage.input_tokens";
    public const string OutputTokens = "gen_ai.usage.output_tokens";
    public const string PollyEvent = "event.name";
    public const string PollyStrategy = "strategy.name";
}

/// <summary>The outcome of a call, for the error budget.</summary>
internal enum CallOutcome
{
    /// <summary>The call was served.</summary>
    Served,

    /// <summary>The call failed and counts against the budget.</summary>
    Failed,

    /// <summary>The request itself was at fault.</summary>
    Request,

    /// <summary>The caller cancelled.</summary>
    Caller,
}

/// <summary>The reason why a call makes another attempt.</summary>
internal enum NextAttempt
{
    /// <summary>The last attempt failed; the next attempt goes to another endpoint.</summary>
    Failover,

    /// <summary>The attempt goes to an endpoint that the call has tried before.</summary>
    Retry,

    /// <summary>The attempt starts beside a slow attempt.</summary>
    Hedge,
}
