namespace HaKit.Tool;

/// <summary>Says that what was asked for cannot be done. The message names the option and what is wrong with it.</summary>
internal sealed class UsageException(string message) : Exception(message);
