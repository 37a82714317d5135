namespace HaKit.Attempts;

/// <summary>Represents the call of an attempt, for the attempt's own stream.</summary>
internal interface IAttemptOwner
{
    /// <summary>Checks whether an untried endpoint that can take the call now is left.</summary>
    bool HasUntried(TimeSpan now);

    /// <summary>Gets the slowest 99th percentile of the other endpoints. Null if none of them has learned its own.</summary>
    TimeSpan? UsualOfOthers(EndpointState state, bool isStream);
}
