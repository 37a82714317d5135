namespace HaKit.Tool.WhatIf;

/// <summary>One answer, as input for learning the model of an endpoint.</summary>
internal readonly record struct WorkSample(TimeSpan At, TimeSpan First, TimeSpan Whole, int Input, int Output);

/// <summary>
/// A model of how an endpoint's times depend on the size of a request and on the number of concurrent requests. Up to <see cref="Capacity"/> concurrent
/// requests run at full speed. If there are more, they are together as fast as <see cref="Capacity"/> requests at full speed, and share this speed equally
/// (processor sharing). The capacity is the value with which the sizes explain the times best. Pure.
/// </summary>
internal sealed class WorkModel
{
    private static readonly double[] s_capacities = [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128];

    // The search continues around the best value, so that a capacity of 7 is not taken for 8.
    private static readonly double[] s_finer = [0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.2];

    // The factor by which the endpoint was slower at the time of an answer is computed from this many answers before it, and as many after it. A capacity has
    // to explain the differences between these answers. Otherwise a slow period would be taken for the effect of load, because slow answers alone increase the
    // number of concurrent requests (Little 1961).
    private const int Neighbours = 20;

    // The search for the capacity uses at most this many answers, spread evenly. The sizes are learned from all answers.
    private const int MostTried = 3000;

    // A capacity is accepted when it explains this share of the variation that the sizes do not explain. By chance it would explain only a small part of a
    // percent.
    private const double LeastGain = 0.005;

    // The capacity must also improve the explanation in several parts of the recording, and must make it worse in far fewer parts. At the start and the end of
    // a slow period every capacity seems to explain something.
    private const int Parts = 40;
    private const int LeastBetter = 3;
    private const double LeastDifference = 0.001;

    private readonly double[] _first;
    private readonly double[] _rest;

    private WorkModel(double capacity, int peak, double[] first, double[] rest) => (Capacity, Peak, _first, _rest) = (capacity, peak, first, rest);

    /// <summary>Gets the number of requests that the endpoint serves at full speed; infinite when no slowdown was observed.</summary>
    public double Capacity { get; }

    /// <summary>Gets the largest observed number of concurrent requests.</summary>
    public int Peak { get; }

    /// <summary>Returns the expected work to the first content, in seconds, for a request that is alone on the endpoint.</summary>
    public double First(int input, int output) => Expected(_first, input, output);

    /// <summary>Returns the expected work from the first content to the end, in seconds.</summary>
    public double Rest(int input, int output) => Expected(_rest, input, output);

    /// <param name="samples">The whole answers.</param>
    /// <param name="busy">The period of each attempt on which the endpoint worked. The periods of concurrent attempts overlap.</param>
    public static WorkModel Learn(IReadOnlyList<WorkSample> samples, IReadOnlyList<(TimeSpan From, TimeSpan Until)> busy)
    {
        var load = new LoadHistory(busy);
        var few = Few(samples);
        var (best, model) = FitModel(few, load, double.PositiveInfinity);
        var alone = best;
        foreach (var capacity in s_capacities)
            Try(capacity);
        if (!double.IsInfinity(model.Capacity))
        {
            var around = model.Capacity;
            foreach (var factor in s_finer)
                Try(around * factor);
        }
        return FitModel(samples, load, model.Capacity).Model;

        void Try(double capacity)
        {
            if (capacity < 1 || capacity >= load.Peak)
                return;
            var (error, tried) = FitModel(few, load, capacity);
            if (error.Average() < best.Average() && IsBelieved(alone, error))
                (best, model) = (error, tried);
        }
    }

    private static IReadOnlyList<WorkSample> Few(IReadOnlyList<WorkSample> samples) => samples.Count <= MostTried
        ? samples
        : [.. Enumerable.Range(0, MostTried).Select(i => samples[(int)((long)i * samples.Count / MostTried)])];

    private static bool IsBelieved(double[] alone, double[] error)
    {
        var (better, worse) = (0, 0);
        for (var i = 0; i < alone.Length; i++)
        {
            better += alone[i] - error[i] > LeastDifference ? 1 : 0;
            worse += error[i] - alone[i] > LeastDifference ? 1 : 0;
        }
        return error.Average() < alone.Average() * (1 - LeastGain) && better >= LeastBetter && better > 2 * worse;
    }

    /// <summary>Returns the amount of work in a period at the endpoint's load.</summary>
    public double WorkOf(LoadHistory load, TimeSpan from, TimeSpan until) => load.Progress(from, until, Capacity);

    private static double Expected(double[] by, int input, int output) => Math.Max(1e-6, by[0] + by[1] * input + by[2] * output);

    private static (double[] Errors, WorkModel Model) FitModel(IReadOnlyList<WorkSample> samples, LoadHistory load, double capacity)
    {
        var (first, rest) = (new double[samples.Count], new double[samples.Count]);
        for (var i = 0; i < samples.Count; i++)
        {
            var s = samples[i];
            var content = load.Progress(s.At, s.At + s.First, capacity);
            var whole = load.Progress(s.At, s.At + s.Whole, capacity);
            (first[i], rest[i]) = (content, Math.Max(0, whole - content));
        }
        var model = new WorkModel(capacity, load.Peak, Regression.FitCoefficients(samples, first), Regression.FitCoefficients(samples, rest));
        var factors = new double[samples.Count];
        for (var i = 0; i < samples.Count; i++)
        {
            var expected = model.First(samples[i].Input, samples[i].Output) + model.Rest(samples[i].Input, samples[i].Output);
            factors[i] = Math.Clamp(Math.Log(Math.Max(1e-6, first[i] + rest[i]) / expected), -3, 3);
        }
        return (ErrorOf(factors), model);
    }

    // Gets, for each part of the recording, the mean distance of a factor (a logarithm) from the mean factor of its neighbours. Each distance counts as at most 1.
    private static double[] ErrorOf(double[] factors)
    {
        if (factors.Length == 0)
            return [0];
        var sums = new double[factors.Length + 1];
        for (var i = 0; i < factors.Length; i++)
            sums[i + 1] = sums[i] + factors[i];
        var errors = new double[Math.Min(Parts, factors.Length)];
        for (var i = 0; i < factors.Length; i++)
        {
            var (from, until) = (Math.Max(0, i - Neighbours), Math.Min(factors.Length, i + Neighbours + 1));
            errors[(int)((long)i * errors.Length / factors.Length)] += Math.Min(1, Math.Abs(factors[i] - (sums[until] - sums[from]) / (until - from))) * errors.Length / factors.Length;
        }
        return errors;
    }
}

/// <summary>
/// Fits times to the numbers of tokens of the prompt and of the answer by least squares. Errors count in proportion to the time. Very large errors are ignored,
/// because a period in which the endpoint was slow must not change the line. For this, the weights are computed again in each round: first for least absolute
/// errors, then with Tukey's biweight (Beaton and Tukey 1974). A size that explains little is left out. Pure.
/// </summary>
internal static class Regression
{
    private const double LeastGain = 0.02;
    private const double SmallError = 0.002;
    private const int AbsoluteRounds = 8;
    private const int Rounds = 11;

    // Tukey's constant, for errors measured by their median. With this constant the fit has 95 % of the efficiency of least squares if errors are normally
    // distributed.
    private const double Biweight = 4.685 / 0.6745;
    private const double LeastUsualError = 0.005;

    public static double[] FitCoefficients(IReadOnlyList<WorkSample> samples, double[] times)
    {
        if (samples.Count == 0)
            return [1e-6, 0, 0];
        double[] best = [Median(times), 0, 0];
        var left = Error(samples, times, best);
        foreach (var (input, output) in new[] { (true, false), (false, true), (true, true) })
        {
            double[]? tried = null;
            var weights = Weights(samples, times, best);
            for (var round = 0; round < Rounds; round++)
            {
                if (Solve(samples, times, weights, input, output) is not { } solved)
                    break;
                tried = solved;
                weights = round < AbsoluteRounds ? Weights(samples, times, tried) : Biweights(samples, times, tried);
            }
            if (tried is null || Error(samples, times, tried) is var error && error >= left * (1 - LeastGain))
                continue;
            (best, left) = (tried, error);
        }
        return best;
    }

    /// <summary>Returns the distance between times and their predictions: the sum of the distances of the logarithms, each at most 1.</summary>
    public static double Error(IReadOnlyList<WorkSample> samples, double[] times, double[] by)
    {
        var sum = 0.0;
        for (var i = 0; i < times.Length; i++)
            sum += Math.Min(1, Math.Abs(Math.Log(Math.Max(1e-6, times[i]) / Expected(by, samples[i]))));
        return sum;
    }

    private static double[] Weights(IReadOnlyList<WorkSample> samples, double[] times, double[] by)
    {
        var weights = new double[times.Length];
        for (var i = 0; i < times.Length; i++)
        {
            var expected = Expected(by, samples[i]);
            weights[i] = 1 / (Math.Max(SmallError, Math.Abs(times[i] / expected - 1)) * expected * expected);
        }
        return weights;
    }

    private static double[] Biweights(IReadOnlyList<WorkSample> samples, double[] times, double[] by)
    {
        var (errors, weights) = (new double[times.Length], new double[times.Length]);
        for (var i = 0; i < times.Length; i++)
            errors[i] = Math.Abs(Math.Log(Math.Max(1e-6, times[i]) / Expected(by, samples[i])));
        var most = Biweight * Math.Max(LeastUsualError, Median(errors));
        for (var i = 0; i < times.Length; i++)
        {
            var (share, expected) = (Math.Min(1, errors[i] / most), Expected(by, samples[i]));
            weights[i] = (1 - share * share) * (1 - share * share) / (expected * expected);
        }
        return weights;
    }

    private static double Expected(double[] by, WorkSample sample) => Math.Max(1e-6, by[0] + by[1] * sample.Input + by[2] * sample.Output);

    private static double Median(double[] times) => times.Order().ElementAt(times.Length / 2);

    // Solves the normal equations of at most three unknowns by Cramer's rule on centred values. Returns null when the sizes do not vary, or when a slope
    // would be negative.
    private static double[]? Solve(IReadOnlyList<WorkSample> samples, double[] times, double[] weights, bool useInput, bool useOutput)
    {
        double n = 0, x = 0, y = 0, t = 0;
        for (var i = 0; i < times.Length; i++)
        {
            var w = weights[i];
            (n, x, y, t) = (n + w, x + w * (useInput ? samples[i].Input : 0), y + w * (useOutput ? samples[i].Output : 0), t + w * times[i]);
        }
        (x, y, t) = (x / n, y / n, t / n);
        double xx = 0, yy = 0, xy = 0, xt = 0, yt = 0;
        for (var i = 0; i < times.Length; i++)
        {
            var w = weights[i];
            var (dx, dy, dt) = ((useInput ? samples[i].Input : 0) - x, (useOutput ? samples[i].Output : 0) - y, times[i] - t);
            (xx, yy, xy, xt, yt) = (xx + w * dx * dx, yy + w * dy * dy, xy + w * dx * dy, xt + w * dx * dt, yt + w * dy * dt);
        }
        var determinant = xx * yy - xy * xy;
        double[] slopes = (useInput, useOutput) switch
        {
            (true, false) => [xt / xx, 0],
            (false, true) => [0, yt / yy],
            _ => [(xt * yy - yt * xy) / determinant, (yt * xx - xt * xy) / determinant],
        };
        return slopes[0] >= 0 && slopes[1] >= 0 ? [t - slopes[0] * x - slopes[1] * y, slopes[0], slopes[1]] : null;
    }
}

/// <summary>The number of requests that an endpoint had at each moment. Not thread-safe, because it keeps the sums for the latest capacity.</summary>
internal sealed class LoadHistory
{
    private readonly double[] _times;
    private readonly int[] _jobs;
    private double[]? _progress;
    private double _capacity = double.NaN;

    public LoadHistory(IReadOnlyList<(TimeSpan From, TimeSpan Until)> busy)
    {
        var changes = new (double At, int By)[busy.Count * 2];
        for (var i = 0; i < busy.Count; i++)
            (changes[2 * i], changes[2 * i + 1]) = ((busy[i].From.TotalSeconds, 1), (busy[i].Until.TotalSeconds, -1));
        // Requests that end at a moment are counted before requests that start at it.
        Array.Sort(changes, static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : a.By.CompareTo(b.By));
        _times = [.. changes.Select(static c => c.At)];
        _jobs = new int[changes.Length];
        var jobs = 0;
        for (var i = 0; i < changes.Length; i++)
        {
            _jobs[i] = jobs += changes[i].By;
            Peak = Math.Max(Peak, jobs);
        }
    }

    public int Peak { get; }

    /// <summary>
    /// Returns the work that one request completes in a period, if all requests share the capacity. The unit is the work of one second on an endpoint that has no
    /// other request.
    /// </summary>
    public double Progress(TimeSpan from, TimeSpan until, double capacity)
    {
        if (double.IsInfinity(capacity))
            return (until - from).TotalSeconds;
        if (_capacity != capacity)
            Sum(capacity);
        return At(until.TotalSeconds) - At(from.TotalSeconds);
    }

    private void Sum(double capacity)
    {
        _capacity = capacity;
        _progress ??= new double[_times.Length];
        for (var i = 1; i < _times.Length; i++)
            _progress[i] = _progress[i - 1] + (_times[i] - _times[i - 1]) * Speed(i - 1);
    }

    private double At(double time)
    {
        if (_times.Length == 0 || time <= _times[0])
            return time - (_times.Length == 0 ? 0 : _times[0]);
        var i = Array.BinarySearch(_times, time);
        if (i < 0)
            i = ~i - 1;
        return _progress![i] + (time - _times[i]) * Speed(i);
    }

    private double Speed(int i) => Math.Min(1, _capacity / Math.Max(1, _jobs[i]));
}
