using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Records the delivered part of one streamed chat answer, and requests the rest from another endpoint after a cut. Each stream has its own object, for one
/// reader. Recording an update allocates memory only when the buffer for the text has to grow.
/// </summary>
internal sealed class ChatContinuation(EndpointPool pool, ChatCall call)
{
    private readonly StringBuilder _text = new();
    private readonly List<(string Endpoint, long Tokens)> _cuts = [];
    private NotContinuedReason? _obstacle = call.ContinuationObstacle;
    private ChatResponseUpdate? _first;
    private long? _prompt;
    private int _pieces;

    /// <summary>Records an update that goes to the caller.</summary>
    public void RecordDelivered(ChatResponseUpdate update)
    {
        var contents = update.Contents;
        // Some clients deliver a tool call only when it is complete. They deliver empty updates for its pieces, so an empty update may be a part of a tool
        // call.
        if (contents.Count == 0 && call.Profile.Tools && _first is not null && update.FinishReason is null)
            _obstacle ??= NotContinuedReason.ToolCall;
        _first ??= update;
        for (var i = 0; i < contents.Count; i++)
        {
            if (contents[i] is TextContent { Annotations: null or { Count: 0 } } text)
                Add(text.Text);
            else if (contents[i] is UsageContent usage)
                _prompt ??= _cuts.Count == 0 ? ChatFaults.ToCount(usage.Details.InputTokenCount) : null;
            else
                _obstacle ??= ObstacleOf(contents[i]);
        }
    }

    /// <summary>Requests the rest from another endpoint.</summary>
    /// <exception cref="NotContinuedException">A continuation is not allowed or not possible, or every attempt to get the rest failed.</exception>
    public async ValueTask<IAsyncEnumerable<ChatResponseUpdate>?> ContinueAsync(PartialResponseException cut, CancellationToken token)
    {
        var text = _text.ToString();
        _obstacle ??= AnswerSeam.FindObstacle(text);
        var tokens = AnswerSeam.EstimateTokens(text.Length, _pieces);
        _cuts.Add((cut.Endpoint, tokens));
        return await pool.ContinueAsync(
            call.Profile,
            cut,
            new AnswerSoFar(text.Length, _obstacle),
            (call, text, tokens),
            static (attempt, s, token) => s.call.OpenRestAsync(attempt, s.text, s.tokens, token),
            call.Reader,
            token).ConfigureAwait(false);
    }

    /// <summary>
    /// Rewrites an update of the rest as an update of the answer that the caller already receives: with the response id, message id, model and creation time of
    /// the first update, and with the usage and cost of all parts.
    /// </summary>
    /// <param name="update">The update.</param>
    /// <param name="detail">The details of the call, with its seams.</param>
    public ChatResponseUpdate Rewrite(ChatResponseUpdate update, CallDetail detail)
    {
        update = update.Clone();
        (update.ResponseId, update.MessageId, update.ModelId, update.CreatedAt) = (_first!.ResponseId, _first.MessageId, _first.ModelId, _first.CreatedAt);
        update.RawRepresentation = null;
        UsageDetails? usage = null;
        for (var i = 0; i < update.Contents.Count; i++)
        {
            if (update.Contents[i] is not UsageContent { Details: var details })
                continue;
            usage = details;
            update.Contents = [.. update.Contents];
            update.Contents[i] = new UsageContent(Sum(details));
        }
        if (usage is null && update.FinishReason is null)
            return update;
        update.AdditionalProperties = update.AdditionalProperties is { } own ? new(own) : [];
        update.AdditionalProperties[ChatStory.SeamsKey] = string.Join("; ", detail.Seams);
        if (usage is not null && CostOf(usage, detail) is { } cost)
            update.AdditionalProperties[ChatStory.CostKey] = cost;
        return update;
    }

    private void Add(string text)
    {
        if (text.Length == 0)
            return;
        _text.Append(text);
        _pieces++;
    }

    private static NotContinuedReason ObstacleOf(AIContent content) => content switch
    {
        TextContent => NotContinuedReason.Citations,
        TextReasoningContent => NotContinuedReason.Reasoning,
        ToolCallContent => NotContinuedReason.ToolCall,
        ErrorContent => NotContinuedReason.ContentFilter,
        DataContent data when data.HasTopLevelMediaType("audio") => NotContinuedReason.Audio,
        _ => NotContinuedReason.OtherContent,
    };

    private List<long> Tokens() => _cuts.ConvertAll(static c => c.Tokens);

    private UsageDetails Sum(UsageDetails last)
    {
        var (input, output) = AnswerSeam.AddUsage(_prompt, Tokens(), last.InputTokenCount ?? 0, last.OutputTokenCount ?? 0);
        return new UsageDetails
        {
            InputTokenCount = input,
            OutputTokenCount = output,
            TotalTokenCount = input + output,
            CachedInputTokenCount = last.CachedInputTokenCount,
            ReasoningTokenCount = last.ReasoningTokenCount,
            AdditionalCounts = last.AdditionalCounts,
        };
    }

    // The cost of each part is computed with the prices of the endpoint that generated it. The tokens of a part that was cut are estimated.
    private string? CostOf(UsageDetails last, CallDetail detail)
    {
        var prompt = _prompt ?? Math.Max(0, (last.InputTokenCount ?? 0) - _cuts[^1].Tokens);
        var cost = Price(detail.Seams[^1].To, last.InputTokenCount ?? 0, last.OutputTokenCount ?? 0);
        long before = 0;
        foreach (var (endpoint, tokens) in _cuts)
        {
            cost += Price(endpoint, prompt + before, tokens - before);
            before = tokens;
        }
        return cost > 0 ? string.Create(CultureInfo.InvariantCulture, $"≥{cost:0.############}") : null;
    }

    private double Price(string? name, long input, long output) =>
        name is not null && pool.Find(name) is { } endpoint ? (input * endpoint.InputTokenPrice + output * endpoint.OutputTokenPrice) / 1e6 : 0;
}
