namespace HaKit.Attempts;

/// <summary>Gives the stream of an attempt access to the call that the attempt belongs to.</summary>
internal interface IAttemptOwner
{
    /// <summary>Checks whether the call has an untried endpoint left that can take it now.</summary>
    bool HasUntried(TimeSpan now);

    /// <summary>
    /// Gets the usual time of the slowest endpoint other than <paramref name="state"/>: the 99th percentile of its times to the first content of a stream, or to
    /// a whole plain answer. Null if no other endpoint has had enough answers.
    /// </summary>
    TimeSpan? UsualOfOthers(EndpointState state, bool isStream);
}
