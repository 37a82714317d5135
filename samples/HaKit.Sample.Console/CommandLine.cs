using System.Globalization;

namespace HaKit.Sample;

/// <summary>The exception for arguments that cannot be executed. The message describes the mistake.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Holds the arguments of one command. Each option is taken once. An option that the command has not taken is refused.</summary>
internal sealed class CommandLine(IEnumerable<string> args)
{
    private readonly List<string> _left = [.. args];

    /// <summary>Takes an option that has no value.</summary>
    public bool Flag(string name) => _left.Remove(name);

    /// <summary>Takes an option with its value; null when it is not given.</summary>
    public string? Text(string name)
    {
        var at = _left.IndexOf(name);
        if (at < 0)
            return null;
        if (at + 1 == _left.Count || _left[at + 1].Length == 0 || _left[at + 1].StartsWith("--", StringComparison.Ordinal))
            throw new UsageException($"{name} needs a value.");
        var value = _left[at + 1];
        _left.RemoveRange(at, 2);
        return value;
    }

    /// <summary>Takes an option whose value is a number.</summary>
    public double Number(string name, double usual, double least, double most)
    {
        if (Text(name) is not { } text)
            return usual;
        const NumberStyles Plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        return double.TryParse(text, Plain, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{name} is '{text}': a number from {least} to {most} is needed."));
    }

    /// <summary>Takes an option whose value is a whole number from 0.</summary>
    public int Whole(string name, int usual)
    {
        if (Text(name) is not { } text)
            return usual;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new UsageException($"{name} is '{text}': a whole number from 0 to {int.MaxValue} is needed.");
    }

    /// <summary>Throws if arguments are left. Call this method after all known options were taken.</summary>
    public void RefuseTheRest()
    {
        if (_left is [var unknown, ..])
            throw new UsageException($"'{unknown}' is no option of this command, or was given twice. --help lists the options.");
    }
}
