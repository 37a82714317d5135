namespace HaKit.Testing.Wire;

/// <summary>The refusals of an endpoint without faults, in the format of the request's dialect.</summary>
internal static class Refusals
{
    public static (int Status, string Body)? NotFound(FakeRequest request) => (404, ErrorBodies.Default(request.IsAnthropic, 404));

    public static string NoSuchResponse(string id) =>
        ErrorBodies.OpenAI("invalid_request_error", "previous_response_not_found", $"Previous response with id '{id}' not found.", "previous_response_id");

    public static (int Status, string Body)? FindRefusal(FakeRequest request, FakeAiOptions options)
    {
        var anthropic = request.IsAnthropic;
        if (request.Operation == FakeOperation.Unknown)
            return NotFound(request);
        if (options.ApiKey is not null && request.ApiKey != options.ApiKey && request.Operation is not (FakeOperation.Health or FakeOperation.Metrics))
            return (401, ErrorBodies.Default(anthropic, 401));
        if (request.Problem is { } problem)
            return (400, anthropic ? ErrorBodies.Anthropic("invalid_request_error", problem) : ErrorBodies.OpenAI("invalid_request_error", null, problem));
        if (request.Beginning is not null && options.Continuation == FakeContinuation.Refuses)
            return (400, anthropic ? ErrorBodies.Anthropic("invalid_request_error", FakeRest.Refusal) : ErrorBodies.OpenAI("invalid_request_error", null, FakeRest.Refusal));
        if (options.Models.Count > 0 && request.Model.Length > 0 && !options.Models.Contains(request.Model))
        {
            return (404, anthropic
                ? ErrorBodies.Anthropic("not_found_error", $"model: {request.Model}")
                : ErrorBodies.OpenAI("invalid_request_error", "model_not_found", $"The model `{request.Model}` does not exist or you do not have access to it."));
        }

        if (request.PromptTokens > options.ContextWindow)
        {
            return (400, anthropic
                ? ErrorBodies.Anthropic("invalid_request_error", FakeFaults.Anthropic.PromptTooLong(request.PromptTokens, options.ContextWindow))
                : ErrorBodies.OpenAI("invalid_request_error", "context_length_exceeded", FakeFaults.ContextLengthMessage(options.ContextWindow, request.PromptTokens), "messages"));
        }

        return null;
    }
}
