namespace HaKit.Attempts;

/// <summary>The call of an attempt, as the attempt's own stream sees it.</summary>
internal interface IAttemptOwner
{
    /// <summary>Is an endpoint left that the call has not tried and could ask now?</summary>
    bool HasUntried(TimeSpan now);

    /// <summary>The slowest 99th percentile among the other endpoints; null where none of them has learned its own.</summary>
    TimeSpan? UsualOfOthers(EndpointState state, bool isStream);
}
