namespace HaKit.Testing;

/// <summary>
/// How long an endpoint works on a request when nothing goes wrong, and how its requests get in each other's way. Immutable; drawn from the
/// simulation's seeded source, so the same seed gives the same work.
/// </summary>
public sealed class ServiceModel
{
    private readonly Func<int, int, Random, ServiceTime> _draw;

    private ServiceModel(Func<int, int, Random, ServiceTime> draw) => _draw = draw;

    internal double Capacity { get; private init; }

    internal int Servers { get; private init; }

    /// <summary>Always the same time.</summary>
    /// <param name="whole">From the request to the whole answer; not negative.</param>
    public static ServiceModel Fixed(TimeSpan whole) => new((_, _, _) => new(whole, whole));

    /// <summary>Exponential: the memoryless times of queueing theory.</summary>
    /// <param name="mean">The mean time to the whole answer.</param>
    public static ServiceModel Exponential(TimeSpan mean) => new((_, _, random) => Whole(mean * random.Exponential()));

    /// <summary>Log-normal: many short times and a long tail, as answers of servers are.</summary>
    /// <param name="median">Half of the answers are quicker.</param>
    /// <param name="p99">One in a hundred is slower; not shorter than the median.</param>
    public static ServiceModel LogNormal(TimeSpan median, TimeSpan p99)
    {
        const double NormalP99 = 2.3263478740408408;
        var sigma = Math.Log(p99 / median) / NormalP99;
        return new((_, _, random) => Whole(median * Math.Exp(sigma * random.Normal())));
    }

    /// <summary>A language model: reads the prompt, shows the first token, and writes the others at a rate.</summary>
    /// <param name="prefillPerSecond">Tokens of the prompt per second.</param>
    /// <param name="perSecond">Tokens of the answer per second.</param>
    public static ServiceModel Tokens(double prefillPerSecond, double perSecond) => new((input, output, _) =>
        new(TimeSpan.FromSeconds(input / prefillPerSecond + 1 / perSecond), TimeSpan.FromSeconds(input / prefillPerSecond + Math.Max(1, output) / perSecond)));

    /// <summary>The same, with the first content after a share of the whole time (default: with its end).</summary>
    /// <param name="share">0 to 1.</param>
    public ServiceModel FirstContentAfter(double share) => With((time, _) => time with { FirstContent = time.Whole * share });

    /// <summary>The same, so many times slower.</summary>
    /// <param name="factor">More than 1 is slower.</param>
    public ServiceModel Times(double factor) => With((time, _) => time * factor);

    /// <summary>
    /// Processor sharing: alone, a request takes its time; beyond <paramref name="capacity"/> requests at once, all share the speed of that many.
    /// </summary>
    /// <param name="capacity">Requests that are served at full speed; more than 0.</param>
    public ServiceModel Sharing(double capacity = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        return new(_draw) { Capacity = capacity };
    }

    /// <summary>First come, first served, by so many servers.</summary>
    /// <param name="servers">At least 1.</param>
    public ServiceModel Queueing(int servers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(servers, 1);
        return new(_draw) { Servers = servers };
    }

    internal ServiceTime Draw(int inputTokens, int outputTokens, Random random) => _draw(inputTokens, outputTokens, random);

    private ServiceModel With(Func<ServiceTime, Random, ServiceTime> change) =>
        new((input, output, random) => change(_draw(input, output, random), random)) { Capacity = Capacity, Servers = Servers };

    private static ServiceTime Whole(TimeSpan whole) => new(whole, whole);
}

/// <summary>Work in time alone on the server: to the first content, and to the whole answer.</summary>
internal readonly record struct ServiceTime(TimeSpan FirstContent, TimeSpan Whole)
{
    public static ServiceTime operator *(ServiceTime time, double factor) => new(time.FirstContent * factor, time.Whole * factor);
}

internal static class Draws
{
    public static double Exponential(this Random random) => -Math.Log(1 - random.NextDouble());

    /// <summary>Box and Muller (1958).</summary>
    public static double Normal(this Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
