using HaKit.Health;

namespace HaKit.Estimates;

/// <summary>
/// How long an endpoint's silences usually are: to the first content of its streams, and to its whole plain answers. Plain answers have no bound until
/// enough is known of them and no upper one ever, because long ones are legitimate. Read and written without locks.
/// </summary>
internal sealed class UsualTimes(TimeSpan minimum, TimeSpan maximum, double multiplier)
{
    private readonly LearnedTimeout _firstContent = new(minimum, maximum, multiplier);
    private readonly LearnedTimeout _answer = new(minimum, TimeSpan.MaxValue, multiplier);

    /// <summary>How long a silence is still usual; null when there is no bound.</summary>
    public TimeSpan? Limit(bool isStream) => isStream || _answer.IsLearned ? TimesOf(isStream).Current : null;

    /// <summary>The same as far as it was learned from the endpoint's own times; null until then.</summary>
    public TimeSpan? LearnedLimit(bool isStream) => TimesOf(isStream) is { IsLearned: true } times ? times.Current : null;

    /// <summary>The time within which this share of the recent answers came; null until enough is known.</summary>
    public TimeSpan? Quantile(bool isStream, double share) => TimesOf(isStream).Quantile(share);

    /// <summary>The same for one share that every call asks for; it may be some answers behind where the times have become shorter.</summary>
    public TimeSpan? UsualQuantile(bool isStream, double share) => TimesOf(isStream).UsualQuantile(share);

    /// <summary>An answer came, or an attempt was given up in silence after this time: without the latter only the quick ones would teach.</summary>
    public void Record(bool isStream, TimeSpan time) => TimesOf(isStream).Record(time);

    private LearnedTimeout TimesOf(bool isStream) => isStream ? _firstContent : _answer;
}
