using System.Text;
using Microsoft.Extensions.Logging;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Keeps what a log shows by default: information, warnings and errors.</summary>
internal sealed class NewcomerLog : ILoggerProvider, ILogger
{
    private readonly StringBuilder _text = new();

    public void Add(string line)
    {
        lock (_text)
            _text.AppendLine(line);
    }

    public override string ToString()
    {
        lock (_text)
            return _text.ToString();
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Add($"{formatter(state, exception)} {exception?.Message}");
    }

    public void Dispose()
    {
    }
}
