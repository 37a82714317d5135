using System.Globalization;
using System.Text;

namespace HaKit.Tool.Tuning;

/// <summary>The report of a search, as text for a terminal.</summary>
internal static class TuningText
{
    public static string Render(TuningResult result)
    {
        var text = new StringBuilder();
        Line($"{result.Title}: values were tried on the first {result.PartsTried} parts and checked on the later parts. Nothing was applied.");
        Line($"");
        Line($"The effect of each value alone on the first parts, with its 90 % interval:");
        Line($"");
        Line($"{"setting",-26}{"value",-26}{"lost, pp",-34}{"p99, s",-32}attempts per call");
        foreach (var (setting, value, effect) in result.Tried)
            Line($"{setting,-26}{value,-26}{LostText(effect),-34}{RangeText(effect.P99, 1, "0.00"),-32}{RangeText(effect.AttemptsPerCall, 1, "0.0000")}");
        Line($"");
        if (result.Proposed.Count == 0)
            Line($"No value is certainly better on the first parts. Keep the current settings.");
        else
            AddProposal();
        return text.ToString();

        void AddProposal()
        {
            Line($"These values together are better on the first parts:");
            foreach (var (name, before, after) in result.Differences)
            {
                Line($"- {name}: {before}");
                Line($"+ {name}: {after}");
            }
            Line($"");
            Line($"{"later part",-20}{"calls",10}{"lost now",16}{"changed",10}{"p99, s",10}{"changed",10}{"att/call",10}{"changed",10}");
            foreach (var (name, before, after) in result.Judged)
                Line($"{name,-20}{before.Calls,10}{LostCalls(before),16}{LostCalls(after),10}{before.P99,10:0.00}{after.P99,10:0.00}{before.AttemptsPerCall,10:0.0000}{after.AttemptsPerCall,10:0.0000}   {VerdictText(before, after)}");
            Line($"");
            if (result.Later is { } later)
                Line($"On the later parts: lost {LostText(later)} pp, p99 {RangeText(later.P99, 1, "0.00")} s, attempts per call {RangeText(later.AttemptsPerCall, 1, "0.0000")}.");
            Line($"{(result.Holds ? "The changes are worse in no later part and better in at least one." : "The later parts do not confirm that these values are better. Keep the current settings.")}");
        }

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture).TrimEnd());
    }

    private static string LostText(TuningEffect effect) => effect.IsKnown ? RangeText(effect.Lost, 100, "0.000") : "cannot be known from this recording";

    private static string LostCalls(PartFigures part) => Math.Round((part.LostIfDown + part.LostIfUp) / 2 * part.Calls).ToString(CultureInfo.InvariantCulture);

    private static string VerdictText(PartFigures before, PartFigures after) => TuningEffect.Compare(before, after) switch
    {
        < 0 => "better",
        > 0 => "worse",
        _ => "the same",
    };

    private static string RangeText(Difference difference, double unit, string format)
    {
        var signed = $"+{format};-{format};0";
        return $"{Number(difference.Mean)} ({Number(difference.Low)} to {Number(difference.High)})";

        string Number(double value) => (unit * value).ToString(signed, CultureInfo.InvariantCulture);
    }
}
