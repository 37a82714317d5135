namespace HaKit.Testing;

/// <summary>
/// The model of an endpoint without faults: the time of each answer, and the effect of concurrent requests on each other. Immutable. Random times come from the
/// simulation's seeded source, so the same seed gives the same times.
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

    /// <summary>Creates a model with a constant time.</summary>
    /// <param name="whole">The time from the request to the end of the answer; 0 to 30 days.</param>
    public static ServiceModel Fixed(TimeSpan whole)
    {
        ArgumentRange.Check(whole, TimeSpan.Zero, ArgumentRange.LongestWork);
        return new((_, _, _) => new(whole, whole));
    }

    /// <summary>Creates a model with exponentially distributed times, as in queueing theory.</summary>
    /// <param name="mean">The mean time to the end of the answer; 0 to 30 days.</param>
    public static ServiceModel Exponential(TimeSpan mean)
    {
        ArgumentRange.Check(mean, TimeSpan.Zero, ArgumentRange.LongestWork);
        return new((_, _, random) => AllAtOnce(ServiceTime.Scale(mean, random.Exponential())));
    }

    /// <summary>Creates a model with log-normally distributed times: many short times and few long ones, as real servers have.</summary>
    /// <param name="median">The median time: half of the answers are faster. More than 0, at most 30 days.</param>
    /// <param name="p99">The 99th percentile: one answer in a hundred is slower. Not shorter than the median, at most 30 days.</param>
    public static ServiceModel LogNormal(TimeSpan median, TimeSpan p99)
    {
        const double NormalP99 = 2.3263478740408408;
        ArgumentRange.CheckAboveZero(median, ArgumentRange.LongestWork);
        ArgumentRange.Check(p99, median, ArgumentRange.LongestWork);
        var sigma = Math.Log(p99 / median) / NormalP99;
        return new((_, _, random) => AllAtOnce(ServiceTime.Scale(median, Math.Exp(sigma * random.Normal()))));
    }

    /// <summary>Creates the model of a language model: it reads the prompt, sends the first token, and writes the other tokens at a constant rate.</summary>
    /// <param name="prefillPerSecond">Tokens of the prompt per second, 0.000001 to 1,000,000.</param>
    /// <param name="perSecond">Tokens of the answer per second, 0.000001 to 1,000,000.</param>
    public static ServiceModel Tokens(double prefillPerSecond, double perSecond)
    {
        ArgumentRange.Check(prefillPerSecond, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        ArgumentRange.Check(perSecond, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        return new((input, output, _) => new(
            ServiceTime.OfSeconds(input / prefillPerSecond + 1 / perSecond),
            ServiceTime.OfSeconds(input / prefillPerSecond + Math.Max(1, output) / perSecond)));
    }

    /// <summary>
    /// Returns the same model with the first content after a share of the whole time. Without this call, the first content comes at the end.
    /// </summary>
    /// <param name="share">The share of the whole time, 0 to 1.</param>
    public ServiceModel FirstContentAfter(double share)
    {
        ArgumentRange.Check(share, 0, 1);
        return Transform((time, _) => time with { FirstContent = time.Whole * share });
    }

    /// <summary>Returns the same model with longer or shorter times.</summary>
    /// <param name="factor">The factor, 0 to 1,000,000. More than 1 is slower.</param>
    public ServiceModel Times(double factor)
    {
        ArgumentRange.Check(factor, 0, 1_000_000);
        return Transform((time, _) => time * factor);
    }

    /// <summary>
    /// Returns the same model with processor sharing: up to <paramref name="capacity"/> concurrent requests run at full speed. More requests together run at
    /// the total speed of <paramref name="capacity"/> requests.
    /// </summary>
    /// <param name="capacity">The number of requests that run at full speed, 0.000001 to 1,000,000.</param>
    public ServiceModel Sharing(double capacity = 1)
    {
        ArgumentRange.Check(capacity, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        return Copy(_draw, capacity: capacity, servers: 0);
    }

    /// <summary>Returns the same model with a queue: a number of servers work on requests in the order of arrival.</summary>
    /// <param name="servers">The number of servers; at least 1.</param>
    public ServiceModel Queueing(int servers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(servers, 1);
        return Copy(_draw, capacity: 0, servers: servers);
    }

    /// <summary>
    /// Returns the same model with a quota at the server: a token bucket that is full at first and fills at a constant rate. A request that exceeds the quota
    /// is answered with 429. The <c>Retry-After</c> is the time until the request would fit, in whole seconds.
    /// </summary>
    /// <param name="tokensPerMinute">The tokens of prompts and answers per minute; more than 0. Default: no such quota.</param>
    /// <param name="requestsPerMinute">The requests per minute; more than 0. Default: no such quota.</param>
    public ServiceModel Quota(double tokensPerMinute = double.PositiveInfinity, double requestsPerMinute = double.PositiveInfinity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokensPerMinute);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(requestsPerMinute);
        return Copy(_draw, tokens: tokensPerMinute, requests: requestsPerMinute);
    }

    /// <summary>
    /// Returns the same model with a cold start. The first request, and the first request after a pause, starts the endpoint; no request is answered until
    /// the start is complete.
    /// </summary>
    /// <param name="warming">The duration of a start; 0 to 30 days.</param>
    /// <param name="after">The length of the pause after which the endpoint stops; more than 0.</param>
    public ServiceModel ColdStart(TimeSpan warming, TimeSpan after)
    {
        ArgumentRange.Check(warming, TimeSpan.Zero, ArgumentRange.LongestWork);
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

/// <summary>The working time of a request that is alone on the server: to the first content, and to the end of the answer.</summary>
internal readonly record struct ServiceTime(TimeSpan FirstContent, TimeSpan Whole)
{
    public ServiceTime After(TimeSpan wait) => new(FirstContent + wait, Whole + wait);

    public static ServiceTime operator *(ServiceTime time, double factor) => new(Scale(time.FirstContent, factor), Scale(time.Whole, factor));

    public static TimeSpan OfSeconds(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, ArgumentRange.LongestWork.TotalSeconds));

    /// <summary>Multiplies a time. The product is at most <see cref="ArgumentRange.LongestWork"/>.</summary>
    public static TimeSpan Scale(TimeSpan time, double factor) => TimeSpan.FromTicks((long)Math.Min(Math.Round(time.Ticks * factor), ArgumentRange.LongestWork.Ticks));
}

internal static class Draws
{
    public static double Exponential(this Random random) => -Math.Log(1 - random.NextDouble());

    /// <summary>Draws a normally distributed number with the method of Box and Muller (1958).</summary>
    public static double Normal(this Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
