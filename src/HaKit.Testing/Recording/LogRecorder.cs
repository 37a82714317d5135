using Microsoft.Extensions.Logging;

namespace HaKit.Testing;

/// <summary>
/// Remembers every log entry, for tests: <c>logging.AddProvider(recorder)</c>, or <see cref="CreateFactory"/> without a
/// container. Thread-safe.
/// </summary>
public sealed class LogRecorder : ILoggerProvider
{
    private readonly Lock _lock = new();
    private readonly List<RecordedLog> _entries = [];

    /// <summary>The least level that is remembered; default <see cref="LogLevel.Trace"/>.</summary>
    public LogLevel MinimumLevel { get; init; } = LogLevel.Trace;

    /// <summary>What was logged so far, in order.</summary>
    public IReadOnlyList<RecordedLog> Entries
    {
        get
        {
            lock (_lock)
                return [.. _entries];
        }
    }

    /// <summary>A factory whose loggers this recorder alone hears.</summary>
    public ILoggerFactory CreateFactory() => new LoggerFactory([this], new LoggerFilterOptions { MinLevel = MinimumLevel });

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <summary>Forgets what was logged.</summary>
    public void Clear()
    {
        lock (_lock)
            _entries.Clear();
    }

    /// <summary>Nothing: what was logged can still be read.</summary>
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
            // The state may be pooled by its sender: copied now.
            var values = state is IReadOnlyList<KeyValuePair<string, object?>> list ? list.ToArray() : [];
            var entry = new RecordedLog(logLevel, category, eventId, formatter(state, exception), values, exception);
            lock (recorder._lock)
                recorder._entries.Add(entry);
        }
    }
}

/// <summary>One log entry.</summary>
/// <param name="Level">Its level.</param>
/// <param name="Category">Its logger's category.</param>
/// <param name="Id">Its event id.</param>
/// <param name="Message">The formatted message.</param>
/// <param name="Values">The message's named values, and its template as <c>{OriginalFormat}</c>.</param>
/// <param name="Exception">The exception, if any.</param>
public sealed record RecordedLog(
    LogLevel Level, string Category, EventId Id, string Message, IReadOnlyList<KeyValuePair<string, object?>> Values, Exception? Exception);
