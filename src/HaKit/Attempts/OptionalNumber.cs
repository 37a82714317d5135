namespace HaKit.Attempts;

/// <summary>
/// Holds a number of at least 0, or no number, in one word. A thread that reads it while another thread writes it gets the old or the new value. A nullable
/// number has two words, so such a thread could get the mark of the new value with the number of the old value. The default value holds no number.
/// </summary>
internal struct OptionalNumber
{
    private long _numberPlusOne;

    /// <summary>Gets or sets the number. Null: none. A negative number is stored as 0.</summary>
    public long? Value
    {
        readonly get => Volatile.Read(in _numberPlusOne) is > 0 and var stored ? stored - 1 : null;
        set => Volatile.Write(ref _numberPlusOne, value is { } number ? Math.Max(number, 0) + 1 : 0);
    }
}
