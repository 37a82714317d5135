namespace HaKit.Tool;

/// <summary>The exception for a command that cannot be executed as given. The message names the option and the error.</summary>
internal sealed class UsageException(string message) : Exception(message);
