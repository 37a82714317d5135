using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace HaKit.Tool;

/// <summary>Creates options whose values are checked while the arguments are parsed. The error of a wrong value contains the option's name.</summary>
internal static class CommandOptions
{
    /// <summary>Creates an option whose value is a number.</summary>
    public static Option<double> Number(string name, string valueName, string description, double usual, double least, double most) =>
        CreateOption(name, valueName, description, text => ParseNumber(text) is { } number && number >= least && number <= most ? number : null,
            string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"), usual);

    /// <summary>Creates an option whose value is a whole number.</summary>
    public static Option<int> CreateWhole(string name, string valueName, string description, int usual, int least = 0, int most = int.MaxValue) =>
        CreateOption<int>(name, valueName, description, text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null,
            $"a whole number from {least} to {most}", usual);

    /// <summary>Creates an option whose value is a length of time such as 500ms, 20s, 5m, 1h or 30d.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) =>
        CreateDuration(name, description, static text => ParseDuration(text), "a time such as 20s, 5m, 1h or 30d");

    /// <summary>Creates an option whose value is a length of time of 1 ms to a day, for which a timer waits.</summary>
    public static Option<TimeSpan?> ShortDuration(string name, string description) => CreateDuration(
        name, description, static text => ParseDuration(text) is { } time && time >= TimeSpan.FromMilliseconds(1) && time <= TimeSpan.FromDays(1) ? time : null, "a time from 1ms to 1d, such as 20s, 5m or 1h,");

    /// <summary>Creates an option whose value is a text or a file name; null when it is not given.</summary>
    public static Option<string?> Text(string name, string valueName, string description) =>
        new Option<string?>(name)
        {
            HelpName = valueName,
            Description = description,
            CustomParser = result => result.Tokens is [{ Value: { Length: > 0 } text }] ? text : Refused<string?>(result, "a value"),
        };

    /// <summary>Creates an option without a value.</summary>
    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>Creates an option with a custom parser. The parser returns null for an invalid value.</summary>
    public static Option<T> CreateOption<T>(string name, string valueName, string description, Func<string, T?> parse, string expected, T usual)
        where T : struct =>
        new(name)
        {
            HelpName = valueName,
            Description = description,
            DefaultValueFactory = _ => usual,
            CustomParser = result => Parsed(result, parse, expected) ?? usual,
        };

    /// <summary>Reads the only token of an option; adds an error when the parser refuses it.</summary>
    public static T? Parsed<T>(ArgumentResult result, Func<string, T?> parse, string expected)
        where T : struct =>
        result.Tokens is [{ Value: { Length: > 0 } text }] && parse(text) is { } value ? value : Refused<T?>(result, expected);

    public static T? Refused<T>(ArgumentResult result, string expected)
    {
        var name = (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
        var given = result.Tokens is [{ Value: var text }] ? text : "";
        result.AddError($"{name} is '{given}': {expected} is needed.");
        return default;
    }

    /// <summary>Throws if an option was given that would be ignored.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="why">The reason and the remedy. The first sentence begins with the option, for example <c>has no effect with --trace. Leave it out.</c></param>
    /// <param name="options">The options that would be ignored.</param>
    /// <exception cref="UsageException">One of the options was given.</exception>
    public static void ThrowIfGiven(ParseResult parsed, string why, params IEnumerable<Option> options)
    {
        if (options.FirstOrDefault(option => IsGiven(parsed, option)) is { } ignored)
            throw new UsageException($"{ignored.Name} {why}");
    }

    /// <summary>Checks whether an option was given, and does not have only its default.</summary>
    public static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static Option<TimeSpan?> CreateDuration(string name, string description, Func<string, TimeSpan?> parse, string expected) => new(name)
    {
        HelpName = "TIME",
        Description = description,
        CustomParser = result => Parsed(result, parse, expected),
    };

    public static TimeSpan? ParseDuration(string text)
    {
        var digits = text.AsSpan().TrimEnd("msdh").Length;
        double? seconds = text[digits..] switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, "d" => 86_400, _ => null };
        return ParseNumber(text[..digits]) * seconds is > 0 and < 1e10 and var total && TimeSpan.FromSeconds(total) is { Ticks: > 0 } time ? time : null;
    }

    public static double? ParseNumber(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
}
