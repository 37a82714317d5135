using Microsoft.Extensions.Logging;

namespace HaKit.Testing;

/// <summary>
/// Records every log entry, for tests. Add it with <c>logging.AddProvider(recorder)</c>, or use <see cref="CreateFactory"/> without a
/// container. Thread-safe.
/// </summary>
public sealed class LogRecorder : ILoggerProvider
{
    private readonly Lock _lock = new();
    private readonly List<RecordedLog> _entries = [];

    /// <summary>Gets the lowest level that is recorded. Default <see cref="LogLevel.Trace"/>.</summary>
    public LogLevel MinimumLevel { get; init; } = LogLevel.Trace;

    /// <summary>Gets the entries so far, in order.</summary>
    public IReadOnlyList<RecordedLog> Entries
    {
        get
        {
            lock (_lock)
                return [.. _entries];
        }
    }

    /// <summary>Creates a logger factory whose only provider is this recorder.</summary>
    public ILoggerFactory CreateFactory() => new LoggerFactory([this], new LoggerFilterOptions { MinLevel = MinimumLevel });

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <summary>Deletes the recorded entries.</summary>
    public void Clear()
    {
        lock (_lock)
            _entries.Clear();
    }

    /// <summary>Does nothing. The recorded entries stay readable.</summary>
    public void Dispose()
    {
    }

    private sealed class Logger(LogRecorder recorder, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= recorder.MinimumLevel && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            // The sender may reuse the state object, so its values are copied now.
            var values = state is IReadOnlyList<KeyValuePair<string, object?>> list ? list.ToArray() : [];
            var entry = new RecordedLog(logLevel, category, eventId, formatter(state, exception), values, exception);
            lock (recorder._lock)
                recorder._entries.Add(entry);
        }
    }
}

/// <summary>One log entry.</summary>
/// <param name="Level">The entry's level.</param>
/// <param name="Category">The category of the logger.</param>
/// <param name="Id">The event id.</param>
/// <param name="Message">The formatted message.</param>
/// <param name="Values">The message's named values. The message's template is the value named <c>{OriginalFormat}</c>.</param>
/// <param name="Exception">The logged exception; null when there is none.</param>
public sealed record RecordedLog(
    LogLevel Level, string Category, EventId Id, string Message, IReadOnlyList<KeyValuePair<string, object?>> Values, Exception? Exception);
