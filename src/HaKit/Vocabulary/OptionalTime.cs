namespace HaKit;

/// <summary>Stores a time that may be missing in the memory of a time. The smallest time stands for a missing time. Pure.</summary>
internal static class OptionalTime
{
    /// <summary>The value that stands for a missing time.</summary>
    public static readonly TimeSpan None = TimeSpan.MinValue;

    /// <summary>Gets the value to store. The smallest time itself is stored as the next larger time, which has the same meaning for a limit.</summary>
    public static TimeSpan Pack(TimeSpan? time)
    {
        if (time is not { } given)
            return None;
        return given == None ? None + TimeSpan.FromTicks(1) : given;
    }

    /// <summary>Gets the time that was stored. Null if it is missing.</summary>
    public static TimeSpan? Unpack(TimeSpan stored) => stored == None ? null : stored;
}
