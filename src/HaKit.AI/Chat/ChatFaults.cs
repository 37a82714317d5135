using System.Buffers;
using System.Text.Json;
using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Classifies answers of a chat client that are failures although the client threw no exception, and exceptions about answers that the client cannot read.
/// </summary>
internal static class ChatFaults
{
    // The call moves on to another endpoint. The fault counts against this endpoint only if the other endpoint answers.
    public static readonly Fault Broken = new(FaultKind.BrokenBody) { SecondOpinion = SecondOpinion.Each, IsProvisional = true };

    /// <summary>The request or the answer is wrong. The pool tries one other endpoint to determine which of them is wrong.</summary>
    public static readonly Fault BrokenOrRefused = new(FaultKind.InvalidRequest) { SecondOpinion = SecondOpinion.One, IsProvisional = true };

    /// <summary>The answer ended with a finish reason that means failure.</summary>
    public static readonly Fault Failed = new(FaultKind.ServerError);

    /// <summary>
    /// Classifies an answer that the client cannot read. OpenAI's client throws on unknown finish reasons. If the finish reason means failure, the endpoint
    /// failed. Otherwise the fault counts against the endpoint only if the client can read another endpoint's answer.
    /// </summary>
    public static Fault OfUnreadable(ArgumentException exception) =>
        exception is ArgumentOutOfRangeException { ActualValue: string reason } && FinishReasons.MeaningOf(reason) == FinishMeaning.Failure ? Failed : Broken;

    // Before a filter ends the answer, the model may have generated tokens that the provider bills. So it is not known whether the request was applied.
    private static readonly Fault Filtered = new(FaultKind.ContentFilter) { Applied = FaultApplied.Ambiguous };

    /// <summary>Checks that the response is an answer for the caller.</summary>
    /// <exception cref="EndpointFaultException">The response is not an answer.</exception>
    public static ChatResponse ThrowIfFailed(ChatResponse? response, EndpointAttempt attempt)
    {
        if (response is null)
            throw new EndpointFaultException(attempt.Endpoint.Name, Broken);
        if (response.Usage is { } usage)
            attempt.ReportUsage(ToCount(usage.InputTokenCount), ToCount(usage.OutputTokenCount), ToCount(usage.CachedInputTokenCount));
        if (response.FinishReason == ChatFinishReason.ContentFilter)
            attempt.ReportFault(Filtered); // the answer is valid, so the caller gets it, unless the request's profile moves on after a content filter
        else if (response.FinishReason is { } reason && FinishReasons.MeaningOf(reason.Value) == FinishMeaning.Failure)
            throw new EndpointFaultException(attempt.Endpoint.Name, Failed);
        else if (FaultIn(response) is { } fault)
            throw new EndpointFaultException(attempt.Endpoint.Name, fault);
        return response;
    }

    /// <summary>Finds an error in the content of an answer. A model's refusal is not an error, because it is an answer.</summary>
    public static ErrorContent? ErrorIn(IList<AIContent> contents)
    {
        for (var i = 0; i < contents.Count; i++)
        {
            if (contents[i] is ErrorContent error && !string.Equals(error.ErrorCode, "Refusal", StringComparison.OrdinalIgnoreCase))
                return error;
        }

        return null;
    }

    public static Fault FaultOf(ErrorContent error)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("error");
            writer.WriteString("code", error.ErrorCode);
            writer.WriteString("message", error.Message);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = 200, Body = json.WrittenMemory }) ?? new Fault(FaultKind.Unknown);
    }

    /// <summary>Creates the exception for a stream that a content filter ended before its first content.</summary>
    public static EndpointFaultException FilteredBefore(PoolEndpoint endpoint) => new(endpoint.Name, Filtered);

    public static long? ToCount(long? tokens) => tokens is < 0 ? null : tokens;

    private static Fault? FaultIn(ChatResponse response)
    {
        var isEmpty = response.FinishReason is null && response.ContinuationToken is null && response.ConversationId is null;
        foreach (var message in response.Messages)
        {
            if (ErrorIn(message.Contents) is { } error)
                return FaultOf(error);
            isEmpty &= message.Contents.Count == 0;
        }
        return isEmpty ? Broken : null;
    }
}
