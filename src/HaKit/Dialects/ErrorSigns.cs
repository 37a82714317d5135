using System.Buffers;
using System.Text;

namespace HaKit.Dialects;

/// <summary>
/// Holds what one pass over a body found. Words are the plain tokens (code, type, status) with which a server names an error; any other text in their place
/// counts as absent. Lives on the stack: the words are copied into a buffer of the caller, and the message stays in the body.
/// </summary>
internal ref struct ErrorSigns
{
    public const int LongestWord = 64;
    public const int LongestMessage = 2048;
    private const int Slots = 8;
    private static readonly SearchValues<char> s_notLetters = SearchValues.Create("0123456789._-");

    /// <summary>The names of statuses that consist of several words. A name of one word is a plain token.</summary>
    private static readonly string[] s_reasons =
    [
        "Bad Request", "Payment Required", "Not Found", "Method Not Allowed", "Not Acceptable", "Request Timeout", "Precondition Failed", "Payload Too Large",
        "Content Too Large", "Request Entity Too Large", "URI Too Long", "Unsupported Media Type", "Unprocessable Entity", "Unprocessable Content",
        "Failed Dependency", "Too Early", "Too Many Requests", "Internal Server Error", "Not Implemented", "Bad Gateway", "Service Unavailable",
        "Gateway Timeout", "Gateway Time-out",
    ];

    private readonly Span<char> _words;
    private readonly Span<byte> _lengths;
    private ReadOnlySpan<byte> _message;
    private ReadOnlySpan<byte> _outerMessage;
    private ReadOnlySpan<byte> _errorText;

    public ErrorSigns(Span<char> words, Span<byte> lengths)
    {
        _words = words;
        _lengths = lengths;
    }

    /// <summary>Gets how many characters the caller's buffer must have.</summary>
    public static int WordBuffer => Slots * LongestWord;

    /// <summary>Gets how many lengths the caller's buffer must have, all zero.</summary>
    public static int LengthBuffer => Slots;

    /// <summary>The place in which a word was found. Words of an error object take precedence over words beside it.</summary>
    public enum Slot
    {
        Code,
        Detail,
        Exception,
        Type,
        Status,
        OuterCode,
        OuterType,

        /// <summary>A word in the place of the error object: <c>"error":"insufficient_quota"</c>.</summary>
        ErrorText,
    }

    /// <summary>Gets or sets whether the body begins like JSON. A web page or an empty body comes from a proxy or gateway in front of the endpoint.</summary>
    public bool IsJson { get; set; }

    /// <summary>Gets or sets whether the body is an error object of some dialect, independent of the status.</summary>
    public bool IsError { get; set; }

    /// <summary>Gets or sets whether the error was in an object of its own. The words beside that object are then not about the error.</summary>
    public bool HasErrorObject { get; set; }

    /// <summary>Gets or sets whether the root has <c>"type":"error"</c>.</summary>
    public bool IsTypeError { get; set; }

    /// <summary>Gets or sets whether the root has <c>"object":"error"</c>.</summary>
    public bool IsObjectError { get; set; }

    /// <summary>Gets or sets whether the body has <c>raw_status_code</c> (Mistral).</summary>
    public bool HasRawStatus { get; set; }

    /// <summary>Gets or sets whether the body has <c>innererror</c> or a numeric string as its code (Azure).</summary>
    public bool LooksAzure { get; set; }

    /// <summary>Gets or sets whether the details have Google's <c>@type</c>.</summary>
    public bool HasTypedDetails { get; set; }

    /// <summary>Gets or sets whether the reader is in a list of errors (<c>"errors":[…]</c>).</summary>
    public bool IsInList { get; set; }

    /// <summary>Gets or sets whether the error names the wrong member of the request (<c>param</c>, field violations, <c>loc</c>).</summary>
    public bool NamesField { get; set; }

    /// <summary>Gets or sets the status that the body itself contains (an integer code, a numeric string). 0: none.</summary>
    public int BodyStatus { get; set; }

    /// <summary>Gets or sets the status of the model's own server that a 424 of SageMaker passes on, if this status blames the request. 0: none.</summary>
    public int OriginalStatus { get; set; }

    /// <summary>Gets or sets whether an answer ended because of a filter.</summary>
    public bool EndedByFilter { get; set; }

    /// <summary>Gets or sets whether an answer ended because the endpoint failed.</summary>
    public bool EndedByFailure { get; set; }

    /// <summary>
    /// Gets or sets whether the original finish reason, which a gateway translated, was a failure. The translated reason then does not count.
    /// </summary>
    public bool NativeEndFailed { get; set; }

    /// <summary>Gets or sets whether an answer ended for any other reason.</summary>
    public bool EndedOtherwise { readonly get => field && !NativeEndFailed; set; }

    /// <summary>Gets or sets whether a violated quota is a daily quota.</summary>
    public bool QuotaPerDay { get; set; }

    /// <summary>Gets or sets whether the details name a violated quota.</summary>
    public bool NamesQuota { get; set; }

    /// <summary>Gets or sets the time to wait that the body names, for example in Google's <c>retryDelay</c>. Null: none.</summary>
    public TimeSpan? RetryDelay { get; set; }

    /// <summary>Gets or sets the instant after which the next request may be sent.</summary>
    public DateTimeOffset? RetryAt { get; set; }

    /// <summary>
    /// Gets the message of the error object, otherwise the text in the place of the object, otherwise the message beside it: at most <see cref="LongestMessage"/>
    /// bytes, with its escapes. If the text is a plain token or the name of a status (<c>"error":"Too Many Requests"</c>), a message beside it takes precedence.
    /// </summary>
    public readonly ReadOnlySpan<byte> Message
    {
        get
        {
            if (!_message.IsEmpty)
                return Cut(_message);
            var isName = _errorText.IsEmpty || !_outerMessage.IsEmpty && (!Word(Slot.ErrorText).IsEmpty || IsReason(_errorText));
            return Cut(isName ? _outerMessage : _errorText);
        }
    }

    public readonly ReadOnlySpan<char> Code => Word(HasErrorObject ? Slot.Code : Slot.OuterCode);

    public readonly ReadOnlySpan<char> Type
    {
        get
        {
            var type = PlainType;
            return type.IsEmpty ? Word(Slot.ErrorText) : type;
        }
    }

    public readonly ReadOnlySpan<char> Status => Word(Slot.Status);

    public readonly ReadOnlySpan<char> Detail => Word(Slot.Detail);

    public readonly ReadOnlySpan<char> Exception => Word(Slot.Exception);

    /// <summary>Gets the words by rank: code, detail, exception, type, status.</summary>
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

    /// <summary>Records a text in the place of the error object.</summary>
    /// <param name="text">The text as it is in the body.</param>
    public void SetErrorText(ReadOnlySpan<byte> text)
    {
        _errorText = text;
        SetWord(Slot.ErrorText, text);
    }

    /// <summary>Clears the words, the texts and the form of an error before the error that it wraps is read.</summary>
    public void Clear()
    {
        _lengths.Clear();
        _message = _outerMessage = _errorText = default;
        HasErrorObject = LooksAzure = false;
    }

    /// <inheritdoc cref="SetWord(Slot, ReadOnlySpan{byte})"/>
    public readonly void SetWord(Slot slot, scoped ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[LongestWord];
        SetWord(slot, text.Length <= LongestWord ? bytes[..Encoding.Latin1.GetBytes(text, bytes)] : default);
    }

    /// <summary>Keeps a word if it is a plain token; otherwise clears the slot.</summary>
    /// <param name="slot">The place where it was found.</param>
    /// <param name="text">The word as it is in the body.</param>
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

    /// <summary>
    /// Gets the most significant word that contains a letter, for the fault's code. A word in the place of the error object is a message, and no part of a message
    /// is kept.
    /// </summary>
    public readonly string? MostTelling()
    {
        for (var rank = 0; rank < 5; rank++)
        {
            var word = rank == 3 ? PlainType : Ranked(rank);
            if (word.ContainsAnyExcept(s_notLetters))
                return word.ToString();
        }

        return null;
    }

    private readonly ReadOnlySpan<char> PlainType => Word(HasErrorObject ? Slot.Type : Slot.OuterType);

    private readonly ReadOnlySpan<char> Word(Slot slot) => _words.Slice((int)slot * LongestWord, _lengths[(int)slot]);

    private static bool IsReason(ReadOnlySpan<byte> text)
    {
        foreach (var reason in s_reasons)
        {
            if (Ascii.EqualsIgnoreCase(text, reason))
                return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> message) => message.Length > LongestMessage ? message[..LongestMessage] : message;

    /// <summary>Decodes the message without its quoted text, so that phrases can be searched in it.</summary>
    /// <param name="buffer">At least as long as <see cref="Message"/>.</param>
    public readonly Span<char> ReadWords(Span<char> buffer) => ServerWords.FromJson(Message, buffer);
}
