using HaKit.Faults;

namespace HaKit.Recording;

/// <summary>The kind of an entry. The numbers are part of the format.</summary>
internal enum EntryKind : byte
{
    /// <summary>A name. Later entries of the block refer to the name by its position.</summary>
    Name = 1,

    /// <summary>The pool's configuration, without addresses, headers and credentials.</summary>
    Configuration = 2,

    /// <summary>An attempt has ended.</summary>
    Attempt = 3,

    /// <summary>A call has ended.</summary>
    Call = 4,

    /// <summary>A probe has ended.</summary>
    Probe = 5,

    /// <summary>An endpoint's health has changed.</summary>
    Change = 6,

    /// <summary>Entries were dropped before this entry.</summary>
    Dropped = 7,
}

/// <summary>
/// Marks the members that an entry has, and the statements that are true for it. The bits are part of the format. The most frequent flags come first, so that
/// they need only one byte.
/// </summary>
[Flags]
internal enum EntryFlags
{
    None = 0,
    IsStream = 1 << 0,
    HasFault = 1 << 1,
    HasFirstContent = 1 << 2,
    HasTokens = 1 << 3,
    HasWaited = 1 << 4,
    HasRules = 1 << 5,
    HasError = 1 << 6,
    HasCached = 1 << 7,
    IsTrial = 1 << 8,
    IsPaced = 1 << 9,
    IsPaid = 1 << 10,
    Hedged = 1 << 11,
    MayNotRepeat = 1 << 12,
    IsRestricted = 1 << 13,
    NeedsTools = 1 << 14,
    NeedsVision = 1 << 15,
    HasModel = 1 << 16,
    HasMaxWait = 1 << 17,
    MayHedge = 1 << 18,
    MayNotHedge = 1 << 19,
    HasPriority = 1 << 20,
}

/// <summary>
/// Holds one entry in memory: plain data of a fixed size, so that recording a call allocates nothing. Times are on the pool's clock, in ticks.
/// </summary>
internal struct RingEntry
{
    public EntryKind Kind;

    /// <summary>For an attempt: unused. For a call: its outcome. For a probe: its level. For a change: its source.</summary>
    public byte Detail;

    /// <summary>For a change: the status before, and the status after in the higher four bits.</summary>
    public byte Statuses;

    public EntryFlags Flags;

    /// <summary>The number of the attempt within its call, or the priority of a call.</summary>
    public int Number;

    /// <summary>An endpoint's name, or the model that a call needs.</summary>
    public string? Name;

    /// <summary>For a call: its error.</summary>
    public string? Error;
    public Fault? Fault;
    public long Call;

    /// <summary>The start of the entry; for a change, its time.</summary>
    public long At;
    public long Took;

    /// <summary>
    /// For an attempt: the time from its start to its first content. For a call: the time that it waited. For a change: the time until which the endpoint is
    /// out, or 0.
    /// </summary>
    public long Part;

    /// <summary>For a call: its deadline, from its start.</summary>
    public long Deadline;

    /// <summary>For a call: its limit on waiting.</summary>
    public long MaxWait;
    public int Input;
    public int Output;
    public int Cached;
    public ulong Rules;
}
