using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HaKit.Http;

/// <summary>
/// Finds the quotes, backslashes and brackets of a JSON text, 32 bytes at a time: one vector comparison gives the places of all marks in a block as the bits of
/// a word (Langdale, Lemire 2019). Pass this struct by reference.
/// </summary>
internal ref struct JsonMarks
{
    private const int Block = 32;

    private readonly ReadOnlySpan<byte> _json;
    private int _start;
    private uint _marks;

    public JsonMarks(ReadOnlySpan<byte> json)
    {
        _json = json;
        _marks = json.IsEmpty ? 0 : MarksAt(0);
    }

    /// <summary>Gets the place of the next mark, at this place or after it. Negative if there is none.</summary>
    public int Next(int from)
    {
        while (true)
        {
            if (from - _start < Block)
            {
                var marks = _marks & uint.MaxValue << (from - _start);
                if (marks != 0)
                    return _start + BitOperations.TrailingZeroCount(marks);
                from = _start + Block;
            }
            if (from >= _json.Length)
                return -1;
            _start = from;
            _marks = MarksAt(from);
        }
    }

    /// <summary>Gets the place after the closing quote of the string that begins here. Negative if the string does not end.</summary>
    public readonly int EndOfString(int start)
    {
        var at = start + 1;
        while (at < _json.Length)
        {
            // Most strings end within the block. In a long string, only the closing quote is searched, because brackets in a text do not matter.
            if (at - _start < Block)
            {
                at = NextInBlock(at);
                if (at == _start + Block)
                    continue;
            }
            else if (_json[at..].IndexOfAny((byte)'"', (byte)'\\') is >= 0 and var step)
            {
                at += step;
            }
            else
            {
                return -1;
            }
            if (_json[at] == '"')
                return at + 1;
            at += 2;
        }
        return -1;
    }

    // The next quote or backslash within the block, or the block's end.
    private readonly int NextInBlock(int at)
    {
        for (var marks = _marks & uint.MaxValue << (at - _start); marks != 0; marks &= marks - 1)
        {
            var place = _start + BitOperations.TrailingZeroCount(marks);
            if (_json[place] is (byte)'"' or (byte)'\\')
                return place;
        }
        return _start + Block;
    }

    private readonly uint MarksAt(int start)
    {
        var rest = _json.Length - start;
        ref var first = ref MemoryMarshal.GetReference(_json);
        if (rest >= Block)
            return MarksIn(Vector256.LoadUnsafe(ref first, (nuint)start));
        if (_json.Length >= Block)
            return MarksIn(Vector256.LoadUnsafe(ref first, (nuint)(_json.Length - Block))) >> (Block - rest);
        var marks = 0u;
        for (var i = 0; i < rest; i++)
        {
            if (_json[start + i] is (byte)'"' or (byte)'\\' or (byte)'{' or (byte)'}' or (byte)'[' or (byte)']')
                marks |= 1u << i;
        }

        return marks;
    }

    // The bit 0x20 turns '[' into '{' and ']' into '}', and turns no other byte into '{' or '}'. So two comparisons find all four brackets.
    private static uint MarksIn(Vector256<byte> bytes)
    {
        var folded = bytes | Vector256.Create((byte)0x20);
        return (Vector256.Equals(bytes, Vector256.Create((byte)'"')) | Vector256.Equals(bytes, Vector256.Create((byte)'\\'))
            | Vector256.Equals(folded, Vector256.Create((byte)'{')) | Vector256.Equals(folded, Vector256.Create((byte)'}'))).ExtractMostSignificantBits();
    }
}
