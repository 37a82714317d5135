namespace HaKit.Http;

/// <summary>
/// Records which choices of one stream have ended. The end of one choice is not the end of the others. A server may give fewer choices than the request asks
/// for.
/// </summary>
/// <param name="asked">How many choices the request asks for.</param>
internal struct ChoiceEnds(int asked)
{
    private readonly int _asked = asked;
    private int _ended;
    private bool _hasUncountedEnd; // an end that is not yet the end of the stream

    /// <summary>Gets or sets whether the items name more than one choice.</summary>
    public bool HasSeveral { get; set; }

    /// <summary>Gets whether the only choice of the stream has ended, although the request asks for several.</summary>
    public readonly bool HasOnlyEnded => _hasUncountedEnd && !HasSeveral;

    /// <summary>Gets whether the ends must be counted.</summary>
    public readonly bool AsksForSeveral => _asked > 1;

    /// <summary>Records the end of a choice in a dialect that has a mark for the end of the stream. Returns whether the stream ends without waiting for it.</summary>
    public bool TryEndBeforeMark()
    {
        _hasUncountedEnd |= _asked > 1;
        return _asked <= 1 && !HasSeveral;
    }

    /// <summary>Records the ends of choices in a dialect without such a mark. Returns whether the last choice has ended.</summary>
    public bool TryEndLast(int ended)
    {
        _ended += ended;
        _hasUncountedEnd |= _asked > 1 && ended > 0;
        return _ended >= _asked;
    }
}
