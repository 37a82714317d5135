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

    internal double TokensPerMinute { get; private init; } = double.PositiveInfinity;

    internal double RequestsPerMinute { get; private init; } = double.PositiveInfinity;

    internal (TimeSpan Warming, TimeSpan After) Cold { get; private init; }

    /// <summary>Always the same time.</summary>
    /// <param name="whole">From the request to the whole answer; not negative.</param>
    public static ServiceModel Fixed(TimeSpan whole) => new((_, _, _) => new(whole, whole));

    /// <summary>Exponential: the memoryless times of queueing theory.</summary>
    /// <param name="mean">The mean time to the whole answer.</param>
    public static ServiceModel Exponential(TimeSpan mean) => new((_, _, random) => AllAtOnce(mean * random.Exponential()));

    /// <summary>Log-normal: many short times and a long tail, as answers of servers are.</summary>
    /// <param name="median">Half of the answers are quicker.</param>
    /// <param name="p99">One in a hundred is slower; not shorter than the median.</param>
    public static ServiceModel LogNormal(TimeSpan median, TimeSpan p99)
    {
        const double NormalP99 = 2.3263478740408408;
        var sigma = Math.Log(p99 / median) / NormalP99;
        return new((_, _, random) => AllAtOnce(median * Math.Exp(sigma * random.Normal())));
    }

    /// <summary>A language model: reads the prompt, shows the first token, and writes the others at a rate.</summary>
    /// <param name="prefillPerSecond">Tokens of the prompt per second.</param>
    /// <param name="perSecond">Tokens of the answer per second.</param>
    public static ServiceModel Tokens(double prefillPerSecond, double perSecond) => new((input, output, _) =>
        new(TimeSpan.FromSeconds(input / prefillPerSecond + 1 / perSecond), TimeSpan.FromSeconds(input / prefillPerSecond + Math.Max(1, output) / perSecond)));

    /// <summary>The same, with the first content after a share of the whole time (default: with its end).</summary>
    /// <param name="share">0 to 1.</param>
    public ServiceModel FirstContentAfter(double share) => Transform((time, _) => time with { FirstContent = time.Whole * share });

    /// <summary>The same, so many times slower.</summary>
    /// <param name="factor">More than 1 is slower.</param>
    public ServiceModel Times(double factor) => Transform((time, _) => time * factor);

    /// <summary>
    /// Processor sharing: alone, a request takes its time; beyond <paramref name="capacity"/> requests at once, all share the speed of that many.
    /// </summary>
    /// <param name="capacity">Requests that are served at full speed; more than 0.</param>
    public ServiceModel Sharing(double capacity = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        return Copy(_draw, capacity: capacity, servers: 0);
    }

    /// <summary>First come, first served, by so many servers.</summary>
    /// <param name="servers">At least 1.</param>
    public ServiceModel Queueing(int servers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(servers, 1);
        return Copy(_draw, capacity: 0, servers: servers);
    }

    /// <summary>
    /// The same with a quota at the server: a bucket that is full at first and fills up evenly. A request that does not fit is answered 429, with the whole
    /// seconds after which it would in Retry-After.
    /// </summary>
    /// <param name="tokensPerMinute">Tokens of prompts and answers together; more than 0. Default: no such quota.</param>
    /// <param name="requestsPerMinute">Requests; more than 0. Default: no such quota.</param>
    public ServiceModel Quota(double tokensPerMinute = double.PositiveInfinity, double requestsPerMinute = double.PositiveInfinity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokensPerMinute);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(requestsPerMinute);
        return Copy(_draw, tokens: tokensPerMinute, requests: requestsPerMinute);
    }

    /// <summary>The same with a cold start: the first request, and the first after a rest, wakes it up, and nothing is answered until it is awake.</summary>
    /// <param name="warming">How long it takes to wake up; not negative.</param>
    /// <param name="after">The rest after which it falls asleep; more than 0.</param>
    public ServiceModel ColdStart(TimeSpan warming, TimeSpan after)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(warming, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(after, TimeSpan.Zero);
        return Copy(_draw, cold: (warming, after));
    }

    internal ServiceTime Draw(int inputTokens, int outputTokens, Random random) => _draw(inputTokens, outputTokens, random);

    private ServiceModel Transform(Func<ServiceTime, Random, ServiceTime> change) =>
        Copy((input, output, random) => change(_draw(input, output, random), random));

    private ServiceModel Copy(
        Func<int, int, Random, ServiceTime> draw, double? capacity = null, int? servers = null, double? tokens = null, double? requests = null,
        (TimeSpan, TimeSpan)? cold = null) => new(draw)
        {
            Capacity = capacity ?? Capacity,
            Servers = servers ?? Servers,
            TokensPerMinute = tokens ?? TokensPerMinute,
            RequestsPerMinute = requests ?? RequestsPerMinute,
            Cold = cold ?? Cold,
        };

    private static ServiceTime AllAtOnce(TimeSpan whole) => new(whole, whole);
}

/// <summary>Work in time alone on the server: to the first content, and to the whole answer.</summary>
internal readonly record struct ServiceTime(TimeSpan FirstContent, TimeSpan Whole)
{
    public ServiceTime After(TimeSpan wait) => new(FirstContent + wait, Whole + wait);

    public static ServiceTime operator *(ServiceTime time, double factor) => new(time.FirstContent * factor, time.Whole * factor);
}

internal static class Draws
{
    public static double Exponential(this Random random) => -Math.Log(1 - random.NextDouble());

    /// <summary>Box and Muller (1958).</summary>
    public static double Normal(this Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
