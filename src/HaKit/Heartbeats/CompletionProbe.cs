using System.Net;
using HaKit.Dialects;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Requests a very short completion to test whether the endpoint generates content. A reasoning model may spend all tokens on its reasoning. So an answer that
/// ends at the token limit, or that is empty but reports usage, is a success. The probe costs a few tokens, so it runs rarely. After a failed probe, <see
/// cref="HeartbeatReading.Proved"/> is the level that the endpoint still reached. The probe supports OpenAI's chat completions, Anthropic's messages, Gemini's
/// generateContent, Bedrock's converse and Ollama's chat. Thread-safe.
/// </summary>
public sealed class CompletionProbe : IProbe
{
    private const int MaxBytes = 64 * 1024;
    private readonly int _maxTokens = 16;
    private readonly TimeSpan? _timeout = TimeSpan.FromSeconds(10);
    private volatile bool _prefersOtherLimit;

    /// <inheritdoc/>
    public ProbeLevel Level => ProbeLevel.Generating;

    /// <inheritdoc/>
    public ProbePace Pace => ProbePace.Sparingly;

    /// <inheritdoc cref="IProbe.Timeout"/>
    /// <remarks>Default 10 s: an answer takes longer than a connection. More than 0, at most a day.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public TimeSpan? Timeout
    {
        get => _timeout;
        init
        {
            if (value is { } timeout && SettingRange.FindAboveZero(nameof(Timeout), timeout, SettingRange.LongestOfTimer) is { } mistake)
                throw new ArgumentOutOfRangeException(nameof(value), mistake);
            _timeout = value;
        }
    }

    /// <summary>Gets the model of the probe's request. Default null: the endpoint's own model.</summary>
    public string? Model { get; init; }

    /// <summary>Gets the maximum number of tokens in the answer, including reasoning. This value limits the cost of a probe. Default 16; at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxTokens
    {
        get => _maxTokens;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxTokens = value;
        }
    }

    /// <summary>Gets the client that sends the request instead of the pool's own connections. The probe does not dispose it. Default null.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var endpoint = context.Endpoint;
        var completion = DialectTable.Get(endpoint.Dialect).Completion(ProbeHttp.FolderOf(endpoint), Model ?? endpoint.Domains.Model, MaxTokens);
        if (_prefersOtherLimit && completion.OtherLimit is { } preferred)
            completion = preferred with { OtherLimit = completion };
        var answer = await SendAsync(context, completion, cancellationToken).ConfigureAwait(false);
        if (CompletionAnswer.WantsOtherLimit(answer.Status, answer.Body.Span) && completion.OtherLimit is { } other)
        {
            // Servers use different names for the limit; the name that worked is kept.
            answer = await SendAsync(context, other, cancellationToken).ConfigureAwait(false);
            if (answer.Fault is null)
                _prefersOtherLimit = !_prefersOtherLimit;
        }
        if (answer.Fault is { } fault)
            return new ProbeResult(CompletionAnswer.ReachedTokenLimit(answer.Status, answer.Body.Span) ? null : fault);
        return new ProbeResult(CompletionAnswer.IsAnswer(answer.Body) ? null : new Fault(FaultKind.BrokenBody) { StatusCode = answer.Status });
    }

    private async ValueTask<ProbeAnswer> SendAsync(ProbeContext context, CompletionRequest completion, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(completion.Body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, ProbeHttp.BelowAddress(context.Endpoint, completion.Path)) { Content = content };
        return await ProbeHttp.SendAsync(context, Http, request, MaxBytes, cancellationToken).ConfigureAwait(false);
    }
}
