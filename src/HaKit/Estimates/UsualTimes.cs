using HaKit.Health;

namespace HaKit.Estimates;

/// <summary>
/// Learns the usual times of an endpoint: from the request to the first content of a stream, and from the request to a whole plain answer. Plain answers have
/// no limit until enough times are known. Their limit has no upper bound, because a long answer is not a failure. Thread-safe and lock-free.
/// </summary>
internal sealed class UsualTimes(TimeSpan minimum, TimeSpan maximum, double multiplier)
{
    private readonly LearnedTimeout _firstContent = new(minimum, maximum, multiplier);
    private readonly LearnedTimeout _answer = new(minimum, TimeSpan.MaxValue, multiplier);

    /// <summary>Gets the time after which a silent attempt counts as slow. Null if there is no limit.</summary>
    public TimeSpan? Limit(bool isStream) => isStream || _answer.IsLearned ? TimesOf(isStream).Current : null;

    /// <summary>
    /// Gets the limit that was learned from the endpoint's own times. Null until it is learned. If a recent answer came after the limit, the limit is longer, also
    /// above the maximum. Otherwise an endpoint that always needs longer than the maximum would never serve again as soon as its times are learned.
    /// </summary>
    public TimeSpan? LearnedLimit(bool isStream) => TimesOf(isStream) is { IsLearned: true } times ? times.CurrentForAnswers : null;

    /// <summary>Gets the time within which this share of the recent answers arrived. Null until enough times are known.</summary>
    public TimeSpan? Quantile(bool isStream, double share) => TimesOf(isStream).Quantile(share);

    /// <summary>
    /// Gets the same as <see cref="Quantile"/>, for one share that every call reads. If answers have become faster, the value may lag by some answers.
    /// </summary>
    public TimeSpan? UsualQuantile(bool isStream, double share) => TimesOf(isStream).UsualQuantile(share);

    /// <summary>
    /// Records the time of an answer, or of an attempt that was cancelled while it was silent. Without cancelled attempts, the limit would be computed from
    /// fast answers only.
    /// </summary>
    public void Record(bool isStream, TimeSpan time, bool isAnswer = false) => TimesOf(isStream).Record(time, isAnswer);

    private LearnedTimeout TimesOf(bool isStream) => isStream ? _firstContent : _answer;
}
