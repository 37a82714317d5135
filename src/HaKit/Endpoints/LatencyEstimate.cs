namespace HaKit.Endpoints;

/// <summary>What is known of an endpoint's times. Read and written without locks; a lost update costs one sample.</summary>
internal sealed class LatencyEstimate
{
    private const double Weight = 0.1;
    private double _firstContent;
    private double _answer;

    /// <summary>Usual seconds to first content of a stream; 0 until known.</summary>
    public double FirstContentSeconds => Volatile.Read(ref _firstContent);

    /// <summary>Usual seconds to a whole plain answer; 0 until known.</summary>
    public double AnswerSeconds => Volatile.Read(ref _answer);

    /// <summary>How long a silence is still usual; null when there is no bound.</summary>
    public TimeSpan? Limit(bool isStream, TimeSpan minimum, TimeSpan maximum, double multiplier) => isStream ? FirstContentSeconds == 0 ? maximum : Clamp(multiplier * FirstContentSeconds, minimum, maximum) : null;

    private static TimeSpan Clamp(double seconds, TimeSpan minimum, TimeSpan maximum) =>
        TimeSpan.FromSeconds(Math.Clamp(seconds, minimum.TotalSeconds, maximum.TotalSeconds));

    public void Answered(TimeSpan started, TimeSpan? firstContent, TimeSpan ended, bool streamed)
    {
        if (firstContent is { } first)
            Update(ref _firstContent, (first - started).TotalSeconds);
        if (!streamed)
            Update(ref _answer, (ended - started).TotalSeconds);
    }

    private static void Update(ref double estimate, double sample)
    {
        var old = Volatile.Read(ref estimate);
        Volatile.Write(ref estimate, old == 0 ? sample : old + Weight * (sample - old));
    }
}
