namespace HaKit.Release.Tests.Mistakes;

/// <summary>A mistake that a newcomer is likely to make, and what the message about it has to hold.</summary>
/// <param name="Name">The mistake, as a sentence.</param>
/// <param name="Message">Makes the mistake, and returns everything that is then said: the exception's message, or the lines of the log.</param>
/// <param name="Thing">What is wrong: a name or a value.</param>
/// <param name="Place">Where it is: a configuration path, a method or an option.</param>
/// <param name="Cure">What helps.</param>
internal sealed record Mistake(string Name, Func<Task<string>> Message, string Thing, string Place, string Cure);
