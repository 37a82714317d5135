using System.Buffers;
using System.Text;

namespace HaKit.Dialects;

/// <summary>
/// What one pass over a body found. Words are the plain tokens (code, type, status) in which a server names an error; anything else in
/// their place counts as absent. Lives on the stack: the words are copied into a buffer of the caller's, the message stays in the body.
/// </summary>
internal ref struct ErrorSigns
{
    public const int LongestWord = 64;
    public const int LongestMessage = 2048;
    private const int Slots = 7;
    private static readonly SearchValues<char> s_notLetters = SearchValues.Create("0123456789._-");
    private readonly Span<char> _words;
    private readonly Span<byte> _lengths;
    private ReadOnlySpan<byte> _message;
    private ReadOnlySpan<byte> _outerMessage;

    public ErrorSigns(Span<char> words, Span<byte> lengths)
    {
        _words = words;
        _lengths = lengths;
    }

    /// <summary>How many characters the caller's buffer must have.</summary>
    public static int WordBuffer => Slots * LongestWord;

    /// <summary>How many lengths the caller's buffer must have, all zero.</summary>
    public static int LengthBuffer => Slots;

    /// <summary>Where a word was found. Those of an error object go before those that lie flat beside it.</summary>
    public enum Slot
    {
        Code,
        Detail,
        Exception,
        Type,
        Status,
        OuterCode,
        OuterType,
    }

    /// <summary>Does the body begin like JSON? A page or an empty body comes from something in front of the endpoint.</summary>
    public bool IsJson { get; set; }

    /// <summary>Is it an error object of some dialect, whatever the status said?</summary>
    public bool IsError { get; set; }

    /// <summary>Was the error in an object of its own, rather than flat? Then the words beside it are not about the error.</summary>
    public bool HasErrorObject { get; set; }

    /// <summary>Was the root marked <c>"type":"error"</c>?</summary>
    public bool IsTypeError { get; set; }

    /// <summary>Was the root marked <c>"object":"error"</c>?</summary>
    public bool IsObjectError { get; set; }

    /// <summary>Did it carry <c>raw_status_code</c> (Mistral)?</summary>
    public bool HasRawStatus { get; set; }

    /// <summary>Did it carry <c>innererror</c> or a numeric string for a code (Azure)?</summary>
    public bool LooksAzure { get; set; }

    /// <summary>Did its details carry Google's <c>@type</c>?</summary>
    public bool HasTypedDetails { get; set; }

    /// <summary>Does it name the member of the request that is wrong (<c>param</c>, field violations, <c>loc</c>)?</summary>
    public bool NamesField { get; set; }

    /// <summary>A status that the body itself tells (an integer code, a numeric string); 0 when none.</summary>
    public int BodyStatus { get; set; }

    /// <summary>Did an answer end because of a filter?</summary>
    public bool EndedByFilter { get; set; }

    /// <summary>Did an answer end because the endpoint failed?</summary>
    public bool EndedByFailure { get; set; }

    /// <summary>Did the reason that a gateway translated tell of a failure? Then the translation says nothing.</summary>
    public bool NativeEndFailed { get; set; }

    /// <summary>Did an answer end for any other reason?</summary>
    public bool EndedOtherwise { readonly get => field && !NativeEndFailed; set; }

    /// <summary>Did a violated quota last a day?</summary>
    public bool QuotaPerDay { get; set; }

    /// <summary>Did the details name any violated quota?</summary>
    public bool NamesQuota { get; set; }

    /// <summary>A wait told in the details.</summary>
    public TimeSpan? RetryDelay { get; set; }

    /// <summary>The error's own message, else the one lying flat; at most <see cref="LongestMessage"/> bytes, escapes untouched.</summary>
    public readonly ReadOnlySpan<byte> Message => Cut(_message.IsEmpty ? _outerMessage : _message);

    public readonly ReadOnlySpan<char> Code => Word(HasErrorObject ? Slot.Code : Slot.OuterCode);

    public readonly ReadOnlySpan<char> Type => Word(HasErrorObject ? Slot.Type : Slot.OuterType);

    public readonly ReadOnlySpan<char> Status => Word(Slot.Status);

    public readonly ReadOnlySpan<char> Detail => Word(Slot.Detail);

    public readonly ReadOnlySpan<char> Exception => Word(Slot.Exception);

    /// <summary>The words by rank: code, detail, exception, type, status.</summary>
    /// <param name="rank">0 to 4.</param>
    public readonly ReadOnlySpan<char> Ranked(int rank) => rank switch
    {
        0 => Code,
        1 => Detail,
        2 => Exception,
        3 => Type,
        _ => Status,
    };

    public void SetMessage(ReadOnlySpan<byte> message, bool outer)
    {
        if (outer)
            _outerMessage = message;
        else
            _message = message;
    }

    /// <inheritdoc cref="SetWord(Slot, ReadOnlySpan{byte})"/>
    public readonly void SetWord(Slot slot, scoped ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[LongestWord];
        SetWord(slot, text.Length <= LongestWord ? bytes[..Encoding.Latin1.GetBytes(text, bytes)] : default);
    }

    /// <summary>Keeps a word if it is a plain token; otherwise forgets what the slot held.</summary>
    /// <param name="slot">Where it was found.</param>
    /// <param name="text">The word as it came.</param>
    public readonly void SetWord(Slot slot, scoped ReadOnlySpan<byte> text)
    {
        _lengths[(int)slot] = 0;
        if (text.Length > LongestWord)
            return;
        var place = _words.Slice((int)slot * LongestWord, LongestWord);
        for (var i = 0; i < text.Length; i++)
        {
            var c = (char)text[i];
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))
                return;
            place[i] = c;
        }

        _lengths[(int)slot] = (byte)text.Length;
    }

    /// <summary>The most telling word with a letter in it, for the fault's code.</summary>
    public readonly string? MostTelling()
    {
        for (var rank = 0; rank < 5; rank++)
        {
            if (Ranked(rank) is { IsEmpty: false } word && word.ContainsAnyExcept(s_notLetters))
                return word.ToString();
        }

        return null;
    }

    private readonly ReadOnlySpan<char> Word(Slot slot) => _words.Slice((int)slot * LongestWord, _lengths[(int)slot]);

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> message) => message.Length > LongestMessage ? message[..LongestMessage] : message;

    /// <summary>The message decoded, without what it quotes, so that phrases can be searched in it.</summary>
    /// <param name="buffer">At least as long as <see cref="Message"/>.</param>
    public readonly Span<char> ReadWords(Span<char> buffer) => ServerWords.FromJson(Message, buffer);
}
