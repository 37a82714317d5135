using System.Diagnostics;
using System.Globalization;

namespace HaKit.Tool;

/// <summary>Shows the progress of a long run: a bar on a terminal, one line at each tenth otherwise.</summary>
internal sealed class Progress(TextWriter output, bool isTerminal, string what, Func<TimeSpan>? clock = null)
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private int _tenths;

    public static Progress For(TextWriter output, string what) => new(output, ReferenceEquals(output, Console.Error) && !Console.IsErrorRedirected, what);

    public TimeSpan Took => clock?.Invoke() ?? Stopwatch.GetElapsedTime(_began);

    public void Show(double share)
    {
        if (isTerminal)
            output.Write(string.Create(CultureInfo.InvariantCulture, $"\r{what} {new string('█', (int)(40 * share)),-40} {share,4:0 %}, {Took.TotalSeconds:0} s{(share >= 1 ? "\n" : "")}"));
        else if ((int)(10 * share + 1e-9) is var tenths && tenths > _tenths)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} {(_tenths = tenths) * 10} %, {Took.TotalSeconds:0.0} s"));
    }
}
