using System.Diagnostics;

namespace HaKit.Telemetry;

/// <summary>Reports the attempts and heartbeats of one endpoint. Its tags are created once. Thread-safe.</summary>
internal sealed class EndpointTelemetry
{
    private static readonly KeyValuePair<string, object?> Input = new(Tags.TokenType, "input");
    private static readonly KeyValuePair<string, object?> Cached = new(Tags.TokenType, "input_cached");
    private static readonly KeyValuePair<string, object?> Output = new(Tags.TokenType, "output");

    private readonly PoolTelemetry _pool;
    private readonly string _attemptName;
    private readonly KeyValuePair<string, object?>[] _tags;
    private readonly KeyValuePair<string, object?>[] _spanTags;

    /// <param name="pool">The telemetry of the endpoint's pool.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="address">The address; only host and port are reported.</param>
    /// <param name="provider">The company or server that runs the model.</param>
    /// <param name="model">The configured model.</param>
    public EndpointTelemetry(PoolTelemetry pool, string name, Uri? address, string? provider, string? model)
    {
        _pool = pool;
        Name = name;
        _attemptName = "attempt " + name;
        var tags = new List<KeyValuePair<string, object?>> { pool.Pool, new(Tags.Endpoint, name) };
        if (address is not null)
            tags.Add(new(Tags.ServerAddress, address.Host));
        if (provider is not null)
            tags.Add(new(Tags.Provider, provider));
        if (model is not null)
            tags.Add(new(Tags.Model, model));
        _tags = [.. tags];
        if (address is not null)
            tags.Add(new(Tags.ServerPort, address.Port));
        _spanTags = [.. tags];
    }

    public string Name { get; }

    /// <summary>Begins the span of an attempt, which then is the current span.</summary>
    public Activity? BeginSpan(Activity call, int number)
    {
        var span = _pool.BeginAttempt(call, _attemptName, _spanTags);
        if (number > 1 && span is { IsAllDataRequested: true })
            span.SetTag(Tags.Attempt, number);
        return span;
    }

    /// <summary>Reports the first content of an attempt.</summary>
    public void RecordFirstContent(Activity? span, TimeSpan after)
    {
        var histogram = _pool.Instruments.FirstContent;
        if (histogram.Enabled)
            histogram.RecordSafely(after.TotalSeconds, _tags);
        if (span is { IsAllDataRequested: true })
            span.AddEvent(new ActivityEvent("first_content", span.StartTimeUtc + after));
    }

    /// <summary>Reports the end of an attempt.</summary>
    /// <param name="span">The attempt's span.</param>
    /// <param name="took">The duration of the attempt.</param>
    /// <param name="error">The error. Null: none.</param>
    /// <param name="status">The HTTP status of a failure. 0: none.</param>
    /// <param name="input">The tokens of the prompt. Null: not reported.</param>
    /// <param name="output">The tokens of the answer. Null: not reported.</param>
    /// <param name="cached">The prompt tokens that came from the provider's cache. Null: not reported.</param>
    public void RecordEnd(Activity? span, TimeSpan took, string? error, int status, long? input, long? output, long? cached = null)
    {
        var instruments = _pool.Instruments;
        if (instruments.AttemptDuration.Enabled)
        {
            if (error is null)
                instruments.AttemptDuration.RecordSafely(took.TotalSeconds, _tags);
            else
                instruments.AttemptDuration.RecordSafely(took.TotalSeconds, AddTag(new(Tags.ErrorType, error)));
        }

        if ((input ?? output) is not null && instruments.Tokens.Enabled)
            CountTokens(input, output, cached);
        if (span is not null)
            End(span, took, error, status, input, output);
    }

    /// <summary>Reports a heartbeat that has an answer or has failed.</summary>
    public void RecordHeartbeat(TimeSpan took, string? error)
    {
        var histogram = _pool.Instruments.HeartbeatDuration;
        if (!histogram.Enabled)
            return;
        if (error is null)
            histogram.RecordSafely(took.TotalSeconds, _tags);
        else
            histogram.RecordSafely(took.TotalSeconds, AddTag(new(Tags.ErrorType, error)));
    }

    private void CountTokens(long? input, long? output, long? cached)
    {
        if (cached is { } held)
            _pool.Instruments.Tokens.AddSafely(held, AddTag(Cached));
        if (input is { } prompt)
            _pool.Instruments.Tokens.AddSafely(prompt, AddTag(Input));
        if (output is { } answer)
            _pool.Instruments.Tokens.AddSafely(answer, AddTag(Output));
    }

    private static void End(Activity span, TimeSpan took, string? error, int status, long? input, long? output)
    {
        if (span.IsAllDataRequested)
        {
            if (error is not null)
                span.SetTag(Tags.ErrorType, error);
            if (status != 0)
                span.SetTag(Tags.Status, status);
            if (input is { } prompt)
                span.SetTag(Tags.InputTokens, prompt);
            if (output is { } answer)
                span.SetTag(Tags.OutputTokens, answer);
        }
        if (error is not null)
            span.SetStatus(ActivityStatusCode.Error, error);
        Spans.Stop(span, took);
    }

    private KeyValuePair<string, object?>[] AddTag(KeyValuePair<string, object?> tag) => [.. _tags, tag];
}
