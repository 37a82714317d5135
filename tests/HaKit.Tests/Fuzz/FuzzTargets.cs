using System.Globalization;
using System.Text;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Http;
using HaKit.Peers;
using HaKit.Recording;
using HaKit.Tests.Faults;

namespace HaKit.Tests.Fuzz;

/// <summary>
/// Runs the code that reads untrusted bytes, as functions of one byte array. A function throws if a promise is broken. The fuzzer (tests/HaKit.Fuzz) searches
/// for such inputs, and <see cref="FuzzTests"/> runs the seeds and the inputs that were found.
/// </summary>
internal static class FuzzTargets
{
    public static int[] Statuses { get; } = [0, 200, 400, 401, 402, 403, 404, 408, 410, 413, 422, 424, 429, 500, 502, 503, 504, 529, 599];

    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>
    {
        ["answer"] = Answer,
        ["message"] = Message,
        ["stream"] = Stream,
        ["outline"] = Outline,
        ["fact"] = Fact,
        ["recording"] = Recorded,
    };

    /// <summary>
    /// The classifier agrees with the slow classifier. The input has the status, the dialect, the kind of the request, then headers up to an empty line, then
    /// the body.
    /// </summary>
    private static void Answer(byte[] input)
    {
        if (input.Length < 4)
            return;
        var rest = input.AsSpan(4);
        var headers = new HttpResponseMessage();
        if ((input[3] & 1) == 1 && rest.IndexOf("\n\n"u8) is >= 0 and var end)
        {
            foreach (var line in Encoding.Latin1.GetString(rest[..end]).Split('\n'))
            {
                if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                    headers.Headers.TryAddWithoutValidation(line[..colon], line[(colon + 1)..].Trim());
            }
            rest = rest[(end + 2)..];
        }
        var evidence = new FaultEvidence
        {
            StatusCode = Statuses[input[0] % Statuses.Length],
            Dialect = (WireDialect)(input[1] % Enum.GetValues<WireDialect>().Length),
            Request = (RequestKind)(input[2] % 3),
            Headers = headers.Headers,
            Body = rest.ToArray(),
            Now = Fixture.Now,
        };
        var fast = FaultClassifier.Default.Classify(in evidence);
        IsSound(fast);
        var slow = SlowClassifier.Classify(in evidence);
        var waits = Math.Abs(((fast?.RetryAfter ?? TimeSpan.Zero) - (slow?.RetryAfter ?? TimeSpan.Zero)).TotalMilliseconds) < 1 && fast?.RetryAfter is null == slow?.RetryAfter is null;
        Holds(waits && (fast is null ? slow is null : slow is not null && fast with { RetryAfter = null } == slow with { RetryAfter = null }), $"fast: {Fixture.Describe(fast)}\nslow: {Fixture.Describe(slow)}");
    }

    /// <summary>The message of an exception is classified without an exception, for any text that an SDK writes.</summary>
    private static void Message(byte[] input)
    {
        if (input.Length < 2)
            return;
        var text = Encoding.UTF8.GetString(input.AsSpan(2));
        Exception exception = (input[0] % 4) switch
        {
            0 => new HttpRequestException(text),
            1 => new InvalidOperationException(text),
            2 => new IOException("a read", new InvalidOperationException(text)),
            _ => new AggregateException(new TimeoutException(text), new InvalidOperationException(text)),
        };
        IsSound(FaultClassifier.Default.Classify(new FaultEvidence { Exception = exception, Dialect = (WireDialect)(input[1] % Enum.GetValues<WireDialect>().Length), Now = Fixture.Now }));
    }

    /// <summary>A stream is divided into items that together are exactly its bytes. Its meaning does not depend on how the network cuts it.</summary>
    private static void Stream(byte[] input)
    {
        if (input.Length < 3)
            return;
        var body = input[3..];
        var whole = Read(body, [], input);
        var cut = Read(body, input, input);
        if (whole.Framing == BodyFraming.Pieces || cut.Framing == BodyFraming.Pieces)
            return;
        Holds(whole.Text == cut.Text, $"at once:\n{whole.Text}\nin parts:\n{cut.Text}");
    }

    private static (string Text, BodyFraming Framing) Read(byte[] body, byte[] sizes, byte[] input)
    {
        var text = new StringBuilder();
        var total = 0;
        using var source = new Parts(body, sizes);
        var events = new SseEvents(source, source, 1 << 16, isLabelled: (input[1] & 1) == 0);
        var reader = new SseReader(FaultClassifier.Default, (WireDialect)(input[2] % Enum.GetValues<WireDialect>().Length), TimeProvider.System, (RequestKind)((input[1] >> 1) % 3)) { Source = events };
        try
        {
            while (Next(events))
            {
                var item = events.Current;
                Holds(item.Span.SequenceEqual(body.AsSpan(total, item.Length)), $"an item of {item.Length} bytes at {total} is not what came");
                total += item.Length;
                var signal = reader.Read(item);
                // An event that ends with CR is delivered at once. An LF that follows it then belongs to the next item, so the lengths may differ.
                if (signal == StreamSignal.None)
                    continue;
                text.Append(CultureInfo.InvariantCulture, $"{signal}{(signal == StreamSignal.Error ? $" {Fixture.Describe(reader.FaultOf(item))}" : "")}\n");
            }
            Holds(total == body.Length, $"{total} of {body.Length} bytes were handed on");
        }
        catch (HttpIOException exception)
        {
            text.Append(exception.HttpRequestError);
        }
        return (text.ToString(), events.Framing);
    }

    private static bool Next(SseEvents events)
    {
        var moved = events.MoveNextAsync();
        Holds(moved.IsCompleted, "a stream that has everything does not wait");
        return moved.IsCompleted && moved.Result;
    }

    /// <summary>The outline of any text is read without an exception. A text that a strict parser can read is whole.</summary>
    private static void Outline(byte[] input)
    {
        var outline = JsonOutline.Read(input);
        if (outline.Model is { } model)
            Holds(model.GetOffsetAndLength(input.Length).Length >= 0, "the model lies within");
        JsonOutline.TryReadUsage(input, out _, out _);
        try
        {
            using var strict = JsonDocument.Parse(input, new JsonDocumentOptions { MaxDepth = 60 });
            Holds(outline.IsWhole || strict.RootElement.ValueKind is not JsonValueKind.Object, "a strict parser finds it whole");
        }
        catch (JsonException)
        {
        }
    }

    /// <summary>A fact of another replica is read or refused. A fact that was read stays the same when it is written and read again.</summary>
    private static void Fact(byte[] input)
    {
        if (!PeerFactFormat.TryRead(input, out var fact))
            return;
        Holds(PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(fact)), out _), "its identity can be read");
    }

    /// <summary>A damaged or forged recording is read up to the damage.</summary>
    private static void Recorded(byte[] input)
    {
        var reader = new SegmentReader();
        reader.Read("file", input);
        _ = reader.TakeRecords();
        // The entries are also decoded without their block, because the checksum of a block would refuse nearly every input of the search.
        var entries = new EntryDecoder(input, 1, Fixture.Now, Fixture.Now);
        try
        {
            while (entries.Next() is not null)
            {
            }
        }
        catch (InvalidDataException)
        {
        }
    }

    private static void IsSound(Fault? fault)
    {
        Holds(fault?.Code is null || (fault.Code.Length <= 64 && fault.Code.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')), $"code {fault?.Code}");
        Holds(fault?.RetryAfter is null || fault.RetryAfter >= TimeSpan.Zero, $"a wait of {fault?.RetryAfter}");
    }

    private static void Holds(bool holds, FormattableString otherwise)
    {
        if (!holds)
            throw new InvalidOperationException(otherwise.ToString(CultureInfo.InvariantCulture));
    }

    private static void Holds(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidOperationException(otherwise);
    }

    /// <summary>Gives a body in parts of the sizes that the input contains, repeated again and again. Without sizes, gives it in one part.</summary>
    private sealed class Parts(byte[] body, byte[] sizes) : MemoryStream(body, writable: false)
    {
        private int _at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (sizes.Length > 0)
                buffer = buffer[..Math.Min(buffer.Length, 1 + sizes[_at++ % sizes.Length] % 40)];
            return new(Read(buffer.Span));
        }
    }
}
