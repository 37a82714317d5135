using HaKit.Faults;

namespace HaKit.Recording;

/// <summary>What an entry of a recording says. The numbers are part of the format.</summary>
internal enum EntryKind : byte
{
    /// <summary>A name that later entries of the block refer to by its place.</summary>
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

    /// <summary>Entries were dropped before this one.</summary>
    Dropped = 7,
}

/// <summary>Which members an entry has, and what is true of it. The bits are part of the format; those of every day come first, because they cost one byte.</summary>
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

/// <summary>One entry as it waits in memory: plain data of a fixed size, so that the path of a call allocates nothing. Times are on the pool's clock, in ticks.</summary>
internal struct RingEntry
{
    public EntryKind Kind;

    /// <summary>An attempt: none. A call: how it ended. A probe: its level. A change: what made it.</summary>
    public byte Detail;

    /// <summary>A change: the status before, and after in the higher four bits.</summary>
    public byte Statuses;

    public EntryFlags Flags;

    /// <summary>The number of the attempt within its call, or the priority of a call.</summary>
    public int Number;

    /// <summary>An endpoint's name, or the model that a call needs.</summary>
    public string? Name;

    /// <summary>The error of a call.</summary>
    public string? Error;
    public Fault? Fault;
    public long Call;

    /// <summary>When it began; for a change, when it was.</summary>
    public long At;
    public long Took;

    /// <summary>An attempt: from its begin to its first content. A call: how long it waited. A change: until when the endpoint is out, or 0.</summary>
    public long Part;

    /// <summary>A call: its deadline, from its begin.</summary>
    public long Deadline;

    /// <summary>A call: the bound on its waiting.</summary>
    public long MaxWait;
    public int Input;
    public int Output;
    public int Cached;
    public ulong Rules;
}
