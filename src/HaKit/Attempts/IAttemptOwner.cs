namespace HaKit.Attempts;

/// <summary>Gives the stream of an attempt access to the call that the attempt belongs to.</summary>
internal interface IAttemptOwner
{
    /// <summary>Checks whether the call has an untried endpoint left that can take it now.</summary>
    bool HasUntried(TimeSpan now);

    /// <summary>Gets the slowest 99th percentile of the other endpoints. Null if no other endpoint has enough answers for one.</summary>
    TimeSpan? UsualOfOthers(EndpointState state, bool isStream);
}
