using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit.Telemetry;

/// <summary>
/// Wraps a logger whose provider may throw, because it is the application's code. An exception of a provider must not fail a call. Thread-safe if the inner
/// logger is thread-safe.
/// </summary>
internal sealed class SafeLogger(ILogger inner) : ILogger
{
    /// <summary>Creates the logger of a category. Without a factory, the logger writes nothing.</summary>
    public static ILogger Create(ILoggerFactory? loggers, string category) =>
        loggers is null ? NullLogger.Instance : new SafeLogger(loggers.CreateLogger(category));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
#pragma warning disable CA1031 // An exception of the application's log provider must not fail a call.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
#pragma warning disable CA1031 // A log that throws must not fail a call, nor keep a lease from being completed.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
