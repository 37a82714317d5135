namespace HaKit.Availability;

/// <summary>Calculates queues: c servers, Poisson arrivals, exponential service (Erlang 1917). Pure and thread-safe.</summary>
public static class Queueing
{
    /// <summary>Returns the mean number of requests in a system by Little's law, λ·W. It holds for all distributions (Operations Research 9, 1961).</summary>
    /// <param name="rate">λ, arrivals per second; zero or greater.</param>
    /// <param name="time">W, the mean time that each request stays; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or negative.</exception>
    public static double Concurrency(double rate, TimeSpan time) => Guard.NotNegative(rate) * Guard.NotNegative(time).Ticks / TimeSpan.TicksPerSecond;

    /// <summary>Returns the share of arrivals that find all servers busy and are lost (M/M/c/c), by the recursion 1/B(c) = 1 + c/a · 1/B(c−1).</summary>
    /// <param name="servers">c, zero or greater.</param>
    /// <param name="load">a = λ/μ in Erlangs; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or negative.</exception>
    public static double ErlangB(int servers, double load)
    {
        Guard.AtLeast(0, servers);
        Guard.NotNegative(load);
        if (load == 0)
            return servers == 0 ? 1 : 0;
        var inverse = 1.0;
        for (var c = 1; c <= servers && double.IsFinite(inverse); c++)
            inverse = 1 + inverse * c / load;
        return 1 / inverse;
    }

    /// <summary>
    /// Returns the share of arrivals that must wait (M/M/c): B/(1 − (a/c)(1 − B)). The share is 1 if the load is not below the number of servers.
    /// </summary>
    /// <param name="servers">c, at least 1.</param>
    /// <param name="load">a = λ/μ in Erlangs; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static double ErlangC(int servers, double load)
    {
        Guard.AtLeast(1, servers);
        if (Guard.NotNegative(load) >= servers)
            return 1;
        var blocked = ErlangB(servers, load);
        return blocked * servers / (servers - load + load * blocked);
    }

    /// <summary>Returns the mean wait before service: C/(cμ − λ).</summary>
    /// <param name="servers">c, at least 1.</param>
    /// <param name="arrivals">λ, zero or greater.</param>
    /// <param name="service">μ of one server, in the same unit; greater than zero.</param>
    /// <returns>The mean wait, in the inverse of that unit; infinite when λ is not below cμ.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static double MeanWait(int servers, double arrivals, double service)
    {
        var spare = Guard.AtLeast(1, servers) * Guard.Positive(service) - Guard.NotNegative(arrivals);
        return spare > 0 ? ErlangC(servers, arrivals / service) / spare : double.PositiveInfinity;
    }

    /// <summary>Returns the probability of a wait longer than t: C·e^−(cμ − λ)t.</summary>
    /// <param name="servers">c, at least 1.</param>
    /// <param name="arrivals">λ, zero or greater.</param>
    /// <param name="service">μ of one server, in the same unit; greater than zero.</param>
    /// <param name="time">t, in the inverse of that unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static double WaitTail(int servers, double arrivals, double service, double time)
    {
        var spare = Guard.AtLeast(1, servers) * Guard.Positive(service) - Guard.NotNegative(arrivals);
        Guard.NotNegative(time);
        return spare > 0 ? ErlangC(servers, arrivals / service) * Math.Exp(-spare * time) : 1;
    }

    /// <summary>Returns the smallest number of servers with which at most a share of the arrivals waits.</summary>
    /// <param name="load">a = λ/μ in Erlangs, zero to 10 million.</param>
    /// <param name="waiting">The share, strictly between 0 and 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static int ServersFor(double load, double waiting)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Guard.NotNegative(load), 1e7, nameof(load));
        Guard.OpenProbability(waiting);
        var inverse = 1.0;
        for (var servers = 1; ; servers++)
        {
            inverse = load == 0 ? double.PositiveInfinity : 1 + inverse * servers / load;
            if (load >= servers)
                continue;
            var blocked = 1 / inverse;
            if (blocked * servers / (servers - load + load * blocked) <= waiting * (1 + Numerics.Precise.Slack))
                return servers;
        }
    }
}
