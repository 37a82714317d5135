namespace HaKit.Http;

/// <summary>
/// The action for the available bytes: pass on <paramref name="Kept"/> bytes, then write the other model's name if <paramref name="Replaces"/> is true, then
/// drop <paramref name="Dropped"/> bytes.
/// </summary>
internal readonly record struct Piece(int Kept, bool Replaces = false, int Dropped = 0)
{
    public int Length => Kept + Dropped;
}

/// <summary>Finds the model's name in a body that arrives in parts of any length. One for each body; not thread-safe.</summary>
internal abstract class ModelFinder
{
    /// <summary>
    /// Reads the next bytes. Bytes that the result does not cover must be passed again, before the bytes that follow; the result covers at least one byte.
    /// </summary>
    public abstract Piece Read(ReadOnlySpan<byte> bytes);

    /// <summary>Gets the bytes that are dropped together with the value and must be written again after it.</summary>
    public virtual ReadOnlyMemory<byte> After => default;

    /// <summary>Gets whether the bytes so far end inside the name.</summary>
    protected abstract bool IsInName { get; }

    /// <summary>Finds the name in a complete body. Null if it has none, or if the body ends inside the name.</summary>
    public Range? Find(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (at < body.Length)
        {
            var piece = Read(body[at..]);
            at += piece.Length;
            if (!piece.Replaces)
                continue;
            var start = at - piece.Dropped;
            while (at < body.Length && Read(body[at..]) is { Kept: 0 } rest)
                at += rest.Length;
            return IsInName ? null : start..(at - After.Length);
        }
        return null;
    }

    /// <summary>Creates the finder for a content type. Null if the place of the model's name is not known there.</summary>
    public static ModelFinder? For(string type)
    {
        if (IsJson(type))
            return new JsonModelFinder();
        return BoundaryOf(type) is { } boundary ? new FormModelFinder(boundary) : null;
    }

    public static bool IsJson(string type)
    {
        var media = type.AsSpan();
        if (media.IndexOf(';') is >= 0 and var end)
            media = media[..end];
        media = media.Trim();
        return media.Equals("application/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    public static bool IsForm(string type) => BoundaryOf(type) is not null;

    private static string? BoundaryOf(string type)
    {
        const string Name = "boundary=";
        if (!type.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) || type.IndexOf(Name, StringComparison.OrdinalIgnoreCase) is not (>= 0 and var at))
            return null;
        var value = type.AsSpan(at + Name.Length).Trim();
        if (value is ['"', ..] && value[1..].IndexOf('"') is >= 0 and var quote)
            return value[1..(quote + 1)].ToString();
        return (value.IndexOf(';') is >= 0 and var end ? value[..end] : value).Trim().ToString();
    }
}

/// <summary>Finds the value of <c>model</c> at the root of a JSON object, including its quotes.</summary>
internal sealed class JsonModelFinder : ModelFinder
{
    private enum At
    {
        Elsewhere,
        InString,
        AfterName,
        BeforeValue,
        InModel,
    }

    private static readonly System.Buffers.SearchValues<byte> s_marks = System.Buffers.SearchValues.Create("\"{}[]"u8);

    private readonly byte[] _name = new byte[6];
    private At _at;
    private int _depth;
    private bool _isObject;
    private bool _isEscaped;
    private int _length;

    protected override bool IsInName => _at == At.InModel;

    public override Piece Read(ReadOnlySpan<byte> bytes)
    {
        if (_at == At.InModel)
            return DropModel(bytes);
        var i = 0;
        while (i < bytes.Length)
        {
            i = _at switch
            {
                At.InString => ReadString(bytes, i),
                At.AfterName or At.BeforeValue => ReadAfterName(bytes, i),
                _ => SkipToMark(bytes, i),
            };
            if (_at == At.InModel)
                return new Piece(i, Replaces: true, Dropped: 1);
        }
        return new Piece(bytes.Length);
    }

    // Drops the caller's model name, up to its closing quote. The endpoint's name was already written.
    private Piece DropModel(ReadOnlySpan<byte> bytes)
    {
        if (EndOfString(bytes, 0) is not (>= 0 and var end))
            return new Piece(0, Dropped: bytes.Length);
        _at = At.Elsewhere;
        return new Piece(0, Dropped: end);
    }

    // Each of these methods reads from the given place and returns the place at which the next method continues.

    private int ReadString(ReadOnlySpan<byte> bytes, int i)
    {
        var close = EndOfString(bytes, i);
        Remember(bytes[i..(close < 0 ? bytes.Length : close - 1)]);
        if (close < 0)
            return bytes.Length;
        // Only a member of the outermost object is the request's model. The same name further inside belongs, for example, to a tool's arguments.
        _at = _depth == 1 && _isObject && _length == 5 && _name.AsSpan(0, 5).SequenceEqual("model"u8) ? At.AfterName : At.Elsewhere;
        return close;
    }

    private int ReadAfterName(ReadOnlySpan<byte> bytes, int i)
    {
        var mark = bytes[i];
        if (mark is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            return i + 1;
        if (_at == At.AfterName && mark == ':')
        {
            _at = At.BeforeValue;
            return i + 1;
        }
        // If neither a colon nor a string begins here, "model" was a string value, or the model is not a string.
        _at = _at == At.BeforeValue && mark == '"' ? At.InModel : At.Elsewhere;
        return i;
    }

    private int SkipToMark(ReadOnlySpan<byte> bytes, int i)
    {
        if (bytes[i..].IndexOfAny(s_marks) is not (>= 0 and var step))
            return bytes.Length;
        Pass(bytes[i + step]);
        return i + step + 1;
    }

    private void Pass(byte mark)
    {
        switch (mark)
        {
            case (byte)'"':
                (_at, _length) = (At.InString, 0);
                break;
            case (byte)'{' or (byte)'[':
                if (_depth++ == 0)
                    _isObject = mark == '{';
                break;
            default:
                _depth--;
                break;
        }
    }

    private void Remember(ReadOnlySpan<byte> part)
    {
        var taken = Math.Min(part.Length, _name.Length - _length);
        part[..taken].CopyTo(_name.AsSpan(_length));
        _length += taken;
    }

    // The place after the closing quote; negative if it is not among these bytes.
    private int EndOfString(ReadOnlySpan<byte> bytes, int at)
    {
        while (at < bytes.Length)
        {
            if (_isEscaped)
            {
                _isEscaped = false;
                at++;
                continue;
            }
            if (bytes[at..].IndexOfAny((byte)'"', (byte)'\\') is not (>= 0 and var step))
                return -1;
            at += step;
            if (bytes[at++] == '"')
                return at;
            _isEscaped = true;
        }
        return -1;
    }
}

/// <summary>Finds the value of the part <c>model</c> of a form, and the boundary after it.</summary>
internal sealed class FormModelFinder(string boundary) : ModelFinder
{
    private const int LongestHead = 4096;

    // The boundary contains a line end only at its beginning, so after a mismatch the search continues at the mismatch itself.
    private readonly byte[] _boundary = System.Text.Encoding.Latin1.GetBytes("\r\n--" + boundary);
    private readonly byte[] _head = new byte[LongestHead];
    private int _matched = 2; // the first boundary has no line end before it
    private int _headLength;
    private bool _inHead;
    private bool _inModel;

    public override ReadOnlyMemory<byte> After => _boundary;

    protected override bool IsInName => _inModel;

    public override Piece Read(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (_inHead)
            {
                if (!EndsHead(bytes[i]) || !_inModel)
                    continue;
                return new Piece(i + 1, Replaces: true);
            }
            if (_matched == 0)
            {
                if (bytes[i..].IndexOf((byte)'\r') is not (>= 0 and var step))
                    break;
                i += step;
            }
            var next = bytes[i];
            if (next == _boundary[_matched])
                _matched++;
            else
                _matched = next == '\r' ? 1 : 0;
            if (_matched < _boundary.Length)
                continue;
            (_matched, _headLength, _inHead) = (0, 0, true);
            if (!_inModel)
                continue;
            _inModel = false;
            return new Piece(0, Dropped: i + 1);
        }
        return _inModel ? new Piece(0, Dropped: bytes.Length) : new Piece(bytes.Length);
    }

    private bool EndsHead(byte next)
    {
        _head[_headLength++] = next;
        var head = _head.AsSpan(0, _headLength);
        if (!head.EndsWith("\r\n\r\n"u8))
        {
            _inHead = _headLength < LongestHead; // a head longer than this is not searched, because no client writes one
            return false;
        }
        _inHead = false;
        var text = System.Text.Encoding.Latin1.GetString(head);
        _inModel = !text.Contains("filename", StringComparison.OrdinalIgnoreCase)
            && (text.Contains("name=\"model\"", StringComparison.OrdinalIgnoreCase)
                || text.Contains("name=model\r", StringComparison.OrdinalIgnoreCase) || text.Contains("name=model;", StringComparison.OrdinalIgnoreCase));
        return true;
    }
}

/// <summary>Passes on the written bytes, with another model's name in the place of the original name. It keeps only the bytes that it is examining.</summary>
internal sealed class RewritingStream(Stream target, ModelFinder finder, ReadOnlyMemory<byte> model) : WriteOnlyStream
{
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var piece = finder.Read(buffer.Span);
            if (piece.Kept > 0)
                await target.WriteAsync(buffer[..piece.Kept], cancellationToken).ConfigureAwait(false);
            if (piece.Replaces)
            {
                await target.WriteAsync(model, cancellationToken).ConfigureAwait(false);
                if (!finder.After.IsEmpty)
                    await target.WriteAsync(finder.After, cancellationToken).ConfigureAwait(false);
            }
            buffer = buffer[piece.Length..];
        }
    }

    // Some contents write synchronously.
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var piece = finder.Read(buffer);
            target.Write(buffer[..piece.Kept]);
            if (piece.Replaces)
            {
                target.Write(model.Span);
                target.Write(finder.After.Span);
            }
            buffer = buffer[piece.Length..];
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => target.FlushAsync(cancellationToken);
}
