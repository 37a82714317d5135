using System.Globalization;

namespace HaKit.Testing;

/// <summary>
/// The arrival times and sizes of calls. Immutable. Random values come from the simulation's seeded source; the calls are generated while the simulation
/// runs.
/// </summary>
public sealed class Workload
{
    private readonly Func<Random, IEnumerable<Arrival>> _arrivals;

    private Workload(Func<Random, IEnumerable<Arrival>> arrivals) => _arrivals = arrivals;

    /// <summary>Creates evenly spaced calls.</summary>
    /// <param name="perSecond">Calls per second, 0.000001 to 1,000,000.</param>
    public static Workload Steady(double perSecond)
    {
        ArgumentRange.Check(perSecond, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        return new(_ => Forever().Select(i => new Arrival(TimeSpan.FromSeconds(i / perSecond))));
    }

    /// <summary>Creates independent calls: a Poisson process.</summary>
    /// <param name="perSecond">Calls per second on average, 0.000001 to 1,000,000.</param>
    public static Workload Poisson(double perSecond)
    {
        ArgumentRange.Check(perSecond, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        return new(random => PoissonArrivals(perSecond, random));
    }

    /// <summary>Creates repeated bursts of calls that arrive at the same instant.</summary>
    /// <param name="size">The number of calls in one burst.</param>
    /// <param name="every">The time between two bursts; more than 0, at most 10 years.</param>
    public static Workload Bursts(int size, TimeSpan every)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentRange.CheckAboveZero(every, SettingRange.Longest);
        return new(_ => Forever().Select(i => new Arrival(every * Math.Floor(i / size))));
    }

    /// <summary>
    /// Creates calls from a recorded trace in the format of the Azure LLM inference traces: a header, then <c>TIMESTAMP,ContextTokens,GeneratedTokens</c>.
    /// </summary>
    /// <param name="lines">The lines of the file. Each run reads them once, as it proceeds. The first line may be the header.</param>
    /// <param name="speed">The factor by which the trace is played faster. Default 1; 0.000001 to 1,000,000.</param>
    /// <exception cref="FormatException">Thrown during a run: a line has the wrong format. The message contains the line's number.</exception>
    public static Workload Trace(IEnumerable<string> lines, double speed = 1)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentRange.Check(speed, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        return new(_ => Traced(lines, speed));
    }

    /// <summary>Returns the same calls, each with the given number of tokens.</summary>
    /// <param name="input">Tokens of the prompt.</param>
    /// <param name="output">Tokens of the answer.</param>
    public Workload OfTokens(int input, int output) =>
        new(random => _arrivals(random).Select(a => a with { InputTokens = input, OutputTokens = output }));

    /// <summary>
    /// Repeats the calls at a given average rate. For example, a recording of one hour becomes the traffic of a year with the same peaks. The workload must
    /// end; it is read once and kept in memory.
    /// </summary>
    /// <param name="perSecond">Calls per second on average, 0.000001 to 1,000,000.</param>
    /// <exception cref="FormatException">Thrown during a run: there are fewer than two calls, or all calls arrive at the same instant.</exception>
    public Workload Repeated(double perSecond)
    {
        ArgumentRange.Check(perSecond, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        return new(random => Repeat(_arrivals(random), perSecond));
    }

    internal IEnumerable<Arrival> Arrivals(Random random) => _arrivals(random);

    private static IEnumerable<double> Forever()
    {
        for (double i = 0; ; i++)
            yield return i;
    }

    private static IEnumerable<Arrival> PoissonArrivals(double perSecond, Random random)
    {
        for (var at = 0.0; ;)
        {
            at += random.Exponential() / perSecond;
            yield return new Arrival(TimeSpan.FromSeconds(at));
        }
    }

    private static IEnumerable<Arrival> Repeat(IEnumerable<Arrival> once, double perSecond)
    {
        var all = once.ToArray();
        if (all.Length < 2 || all[^1].At <= all[0].At)
            throw new FormatException("At least two calls, at different times, are needed to be repeated.");
        // The gap between the last call and the first call of the next round is the average gap.
        var round = all.Length / perSecond;
        var stretch = round * (all.Length - 1) / all.Length / (all[^1].At - all[0].At).TotalSeconds;
        for (var i = 0L; ; i++)
        {
            foreach (var arrival in all)
                yield return arrival with { At = TimeSpan.FromSeconds(i * round) + (arrival.At - all[0].At) * stretch };
        }
    }

    private static IEnumerable<Arrival> Traced(IEnumerable<string> lines, double speed)
    {
        DateTime? first = null;
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            var fields = line.Split(',');
            if (fields.Length >= 3 && DateTime.TryParse(fields[0], CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
                && int.TryParse(fields[1], CultureInfo.InvariantCulture, out var input) && int.TryParse(fields[2], CultureInfo.InvariantCulture, out var output))
            {
                yield return new Arrival((at - (first ??= at)) / speed, input, output);
            }
            else if (number > 1 && line.Length > 0)
            {
                throw new FormatException($"Line {number} of the trace is not 'time,context tokens,generated tokens'.");
            }
        }
    }
}

/// <summary>One call: its arrival time since the start of the run, and its size.</summary>
internal readonly record struct Arrival(TimeSpan At, int InputTokens = 0, int OutputTokens = 0);
