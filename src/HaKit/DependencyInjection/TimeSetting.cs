using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace HaKit.DependencyInjection;

/// <summary>
/// Finds times that .NET does not read as the author probably intended: .NET reads a bare number as days, two numbers as hours and minutes, and a number of
/// hours above 23 as days. This file is also compiled into other packages that read settings. Pure.
/// </summary>
internal static class TimeSetting
{
    private const int SecondsOfDay = 24 * 3600, MinutesOfDay = 24 * 60;

    /// <summary>Gets a sentence about the mistake, with the setting's path and the value that should be written; null when there is none.</summary>
    /// <param name="section">The setting.</param>
    public static string? FindMistake(IConfigurationSection section)
    {
        var text = (section.Value ?? "").Trim();
        if (text is ['-', .. var digits] && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return $"{section.Path} is '{text}', a negative number of days: a time such as '00:00:30' for 30 seconds is needed.";
        var parts = text.Split(':');
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        }
        var shown = $"{section.Path} is '{string.Join(':', parts)}'";
        return numbers switch
        {
            [> 0 and var number] => $"{shown}, and a bare number would mean days: write {Meant(number)}.",
            [var hours, var minutes] when hours < 24 && minutes < 60 =>
                $"{shown}, which means {hours} hours and {minutes} minutes. Write '00:{hours:00}:{minutes:00}' for {hours} minutes and {minutes} seconds, '{hours:00}:{minutes:00}:00' for {hours} hours and {minutes} minutes.",
            [> 23 and var hours, _, _] => $"{shown}, which means {hours} days and not {hours} hours. Write '{hours / 24}.{hours % 24:00}:{parts[1]}:{parts[2]}' for hours.",
            _ => null,
        };
    }

    // A number of seconds that is longer than a day is assumed to be in milliseconds.
    private static string Meant(int number)
    {
        if (number >= SecondsOfDay)
            return $"'{TimeSpan.FromSeconds(Math.Round(number / 1000.0)):c}' for milliseconds";
        var seconds = $"'{TimeSpan.FromSeconds(number):c}' for seconds";
        if (number >= 200)
            seconds += $", '{TimeSpan.FromMilliseconds(number):hh\\:mm\\:ss\\.fff}' for milliseconds";
        return number < MinutesOfDay ? $"{seconds}, '{TimeSpan.FromMinutes(number):c}' for minutes, '{number}.00:00:00' for days" : seconds;
    }
}
