namespace HaKit.Release.Tests.Mistakes;

/// <summary>Describes a mistake that a newcomer is likely to make, and the required content of the message about it.</summary>
/// <param name="Name">The mistake, as a sentence.</param>
/// <param name="Message">Makes the mistake, and returns the exception's message or the lines of the log.</param>
/// <param name="Thing">The wrong name or value.</param>
/// <param name="Place">The place of the mistake: a configuration path, a method or an option.</param>
/// <param name="Cure">The remedy.</param>
internal sealed record Mistake(string Name, Func<Task<string>> Message, string Thing, string Place, string Cure);
