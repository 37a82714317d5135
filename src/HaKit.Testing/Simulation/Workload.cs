using System.Globalization;

namespace HaKit.Testing;

/// <summary>When calls come, and how large they are. Immutable; drawn from the simulation's seeded source, never held whole in memory.</summary>
public sealed class Workload
{
    private readonly Func<Random, IEnumerable<Arrival>> _arrivals;

    private Workload(Func<Random, IEnumerable<Arrival>> arrivals) => _arrivals = arrivals;

    /// <summary>Evenly spaced calls.</summary>
    /// <param name="perSecond">Calls per second. More than 0.</param>
    public static Workload Steady(double perSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
        return new(_ => Forever().Select(i => new Arrival(TimeSpan.FromSeconds(i / perSecond))));
    }

    /// <summary>Calls that know nothing of each other: a Poisson process.</summary>
    /// <param name="perSecond">Calls per second on average. More than 0.</param>
    public static Workload Poisson(double perSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
        return new(random => PoissonArrivals(perSecond, random));
    }

    /// <summary>Many calls at the same instant, again and again.</summary>
    /// <param name="size">The number of calls in one burst.</param>
    /// <param name="every">The time between two bursts.</param>
    public static Workload Bursts(int size, TimeSpan every)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(every, TimeSpan.Zero);
        return new(_ => Forever().Select(i => new Arrival(every * Math.Floor(i / size))));
    }

    /// <summary>A recorded trace in the format of the Azure LLM inference traces: a header, then <c>TIMESTAMP,ContextTokens,GeneratedTokens</c>.</summary>
    /// <param name="lines">The file's lines, read once for each run as it goes on; the first may be the header.</param>
    /// <param name="speed">Plays it so many times faster; default 1.</param>
    /// <exception cref="FormatException">While running: a line is not of the format; the message says which.</exception>
    public static Workload Trace(IEnumerable<string> lines, double speed = 1)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(speed);
        return new(_ => Traced(lines, speed));
    }

    /// <summary>The same calls, each of so many tokens.</summary>
    /// <param name="input">Tokens of the prompt.</param>
    /// <param name="output">Tokens of the answer.</param>
    public Workload OfTokens(int input, int output) =>
        new(random => _arrivals(random).Select(a => a with { InputTokens = input, OutputTokens = output }));

    /// <summary>
    /// The same calls again and again, stretched or squeezed to a rate: a recording of an hour becomes a year's traffic with the recording's ups and downs.
    /// Only for one that ends; it is read and held once.
    /// </summary>
    /// <param name="perSecond">Calls per second on average. More than 0.</param>
    /// <exception cref="FormatException">While running: there are fewer than two calls, or all come at once.</exception>
    public Workload Repeated(double perSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
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
        // One usual gap between the last and the first of the next round.
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

/// <summary>A call that comes, since the beginning, and its size.</summary>
internal readonly record struct Arrival(TimeSpan At, int InputTokens = 0, int OutputTokens = 0);
