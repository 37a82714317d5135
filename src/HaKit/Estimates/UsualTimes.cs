using HaKit.Health;

namespace HaKit.Estimates;

/// <summary>
/// Learns how long an endpoint's silences usually are: to the first content of its streams, and to its whole plain answers. Plain answers have no limit until
/// enough times are known, and never an upper bound, because long answers are legitimate. Read and written without locks.
/// </summary>
internal sealed class UsualTimes(TimeSpan minimum, TimeSpan maximum, double multiplier)
{
    private readonly LearnedTimeout _firstContent = new(minimum, maximum, multiplier);
    private readonly LearnedTimeout _answer = new(minimum, TimeSpan.MaxValue, multiplier);

    /// <summary>Gets how long a silence may be. Null if there is no limit.</summary>
    public TimeSpan? Limit(bool isStream) => isStream || _answer.IsLearned ? TimesOf(isStream).Current : null;

    /// <summary>Gets the limit that was learned from the endpoint's own times. Null until it is learned.</summary>
    public TimeSpan? LearnedLimit(bool isStream) => TimesOf(isStream) is { IsLearned: true } times ? times.Current : null;

    /// <summary>Gets the time within which this share of the recent answers came. Null until enough times are known.</summary>
    public TimeSpan? Quantile(bool isStream, double share) => TimesOf(isStream).Quantile(share);

    /// <summary>Gets the same for one share that every call reads. If answers have become faster, the value may lag by some answers.</summary>
    public TimeSpan? UsualQuantile(bool isStream, double share) => TimesOf(isStream).UsualQuantile(share);

    /// <summary>
    /// Records the time of an answer, or of an attempt that was given up in silence. Without the latter, only the fast answers would be learned.
    /// </summary>
    public void Record(bool isStream, TimeSpan time) => TimesOf(isStream).Record(time);

    private LearnedTimeout TimesOf(bool isStream) => isStream ? _firstContent : _answer;
}
