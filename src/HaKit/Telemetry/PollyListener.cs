using System.Diagnostics;
using Polly;
using Polly.Telemetry;

namespace HaKit.Telemetry;

/// <summary>
/// Adds the reports of Polly's strategies to HaKit's meter and spans. Only pipelines with the application's own strategies have this listener, because with a
/// listener Polly reports each run of the pipeline. These reports cost more than all of HaKit's reports about a call.
/// </summary>
internal sealed class PollyListener(PoolTelemetry pool) : TelemetryListener
{
    /// <summary>Connects a pipeline to the pool's telemetry, and to Polly's own telemetry if its options are given.</summary>
    /// <param name="builder">The pipeline.</param>
    /// <param name="pool">The pool's telemetry.</param>
    /// <param name="polly">Polly's own telemetry. Null: none.</param>
    /// <param name="hasStrategies">True if the application added strategies of its own.</param>
    public static void Listen(ResiliencePipelineBuilderBase builder, PoolTelemetry pool, TelemetryOptions? polly, bool hasStrategies)
    {
        if (polly is null)
        {
            if (hasStrategies)
                builder.TelemetryListener ??= new PollyListener(pool);
            return;
        }
        var options = new TelemetryOptions(polly);
        options.TelemetryListeners.Add(new PollyListener(pool));
        builder.ConfigureTelemetry(options);
    }

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
    {
        // HaKit reports calls and attempts with its own instruments.
        if (args.Event.EventName is "PipelineExecuting" or "PipelineExecuted" or "ExecutionAttempt")
            return;
        var what = new KeyValuePair<string, object?>(Tags.PollyEvent, args.Event.EventName);
        var counter = pool.Instruments.Strategies;
        if (counter.Enabled)
        {
            var strategy = new KeyValuePair<string, object?>(Tags.PollyStrategy, args.Source.StrategyName ?? "");
            if (args.Source.PipelineInstanceName is { } endpoint)
                counter.AddSafely(1, [pool.Pool, new(Tags.Endpoint, endpoint), strategy, what]);
            else
                counter.AddSafely(1, pool.Pool, strategy, what);
        }
        if (Activity.Current is { IsAllDataRequested: true, Source: var source } span && ReferenceEquals(source, Instruments.Source))
            span.AddEvent(new ActivityEvent(args.Event.EventName));
    }
}
