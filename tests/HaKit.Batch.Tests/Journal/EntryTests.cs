using System.Text;
using HaKit.Batch.Journal;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Tests.Journal;

/// <summary>Tests the bytes of entries and headers: what is written is read, and nothing else is.</summary>
public sealed class EntryTests
{
    public static TheoryData<long> Numbers => [0, 1, 127, 128, 129, 16383, 16384, 2097151, 2097152, int.MaxValue, 1L << 35, (1L << 56) - 1, 1L << 56, long.MaxValue];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void An_item_is_read_as_it_was_written(long ordinal)
    {
        foreach (var (id, input) in new[] { ("", ""), ("é", "x"), (new string('i', 127), new string('b', 128)), (new string('i', 300), new string('b', 70_000)) })
        {
            var entry = EntryWriter.Item(ordinal, id, Encoding.UTF8.GetBytes(input));
            var read = EntryReader.Item(ContentOf(entry, EntryKind.Item));
            (read.Ordinal, read.Id, Encoding.UTF8.GetString(read.Input.Span)).Should().Be((ordinal, id, input));
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Entries_without_content_of_their_own_are_read_as_they_were_written(long ordinal)
    {
        foreach (var mayRepeat in new[] { false, true })
        {
            var started = new EntryReader(ContentOf(EntryWriter.Started(ordinal, mayRepeat, 0.25), EntryKind.Started).Span);
            ((long)started.Varint(), started.Next(1)[0], started.Number(), started.IsAtEnd).Should().Be((ordinal, (byte)(mayRepeat ? 0 : 1), 0.25, true));
        }

        var ended = new EntryReader(ContentOf(EntryWriter.Ended(ordinal, -1.5), EntryKind.Ended).Span);
        ((long)ended.Varint(), ended.Number(), ended.IsAtEnd).Should().Be((ordinal, -1.5, true));
        var redo = new EntryReader(ContentOf(EntryWriter.Redo(ordinal), EntryKind.Redo).Span);
        ((long)redo.Varint(), redo.IsAtEnd).Should().Be((ordinal, true));
        var totals = new EntryReader(ContentOf(EntryWriter.Totals(ordinal, 3, 7.5), EntryKind.Totals).Span);
        ((long)totals.Varint(), (long)totals.Varint(), totals.Number(), totals.IsAtEnd).Should().Be((ordinal, 3, 7.5, true));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_outcome_is_read_as_it_was_written(bool withResult)
    {
        foreach (var (endpoint, error, result) in new[] { ("a", null, "answer"), (null, "ContentFilter (400)", ""), ((string?)null, (string?)null, new string('r', 200)), (new string('e', 130), new string('x', 300), "r") })
        {
            var outcome = new BatchOutcome
            {
                State = BatchItemState.Failed,
                Request = RequestFingerprint.Compute("question"u8),
                Cost = 0.125,
                Attempts = 3,
                InputTokens = 200,
                OutputTokens = 20_000,
                At = DateTimeOffset.FromUnixTimeMilliseconds(1_767_225_600_123),
                Endpoint = endpoint,
                Error = error,
                Result = Encoding.UTF8.GetBytes(result),
            };
            var (ordinal, read) = EntryReader.Outcome(ContentOf(EntryWriter.Outcome(300, outcome), EntryKind.Outcome), withResult);
            ordinal.Should().Be(300);
            Encoding.UTF8.GetString(read.Result.Span).Should().Be(withResult ? result : "");
            (read with { Result = default }).Should().Be(outcome with { Result = default });
        }
    }

    [Fact]
    public void A_time_before_1970_is_written_as_1970()
    {
        var outcome = new BatchOutcome { State = BatchItemState.Succeeded, Request = RequestFingerprint.None, At = DateTimeOffset.UnixEpoch.AddDays(-1) };
        EntryReader.Outcome(ContentOf(EntryWriter.Outcome(1, outcome), EntryKind.Outcome), withResult: true).Outcome.At.Should().Be(DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public void An_entry_that_is_cut_anywhere_is_invalid()
    {
        var entry = EntryWriter.Outcome(300, new BatchOutcome { State = BatchItemState.Succeeded, Request = RequestFingerprint.None, Endpoint = "a", Error = "b" });
        var content = ContentOf(entry, EntryKind.Outcome).ToArray();
        for (var length = 0; length < content.Length; length++)
        {
            var cut = content[..length];
            FluentActions.Invoking(() => EntryReader.Outcome(cut, withResult: true)).Should().Throw<InvalidDataException>($"{length} of {content.Length} bytes are there");
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 }, ulong.MaxValue)]
    [InlineData(new byte[] { 0x80, 0x01 }, 128ul)]
    [InlineData(new byte[] { 0x7F }, 127ul)]
    public void A_number_has_seven_bits_in_a_byte_the_lowest_first(byte[] bytes, ulong number)
    {
        var reader = new EntryReader(bytes);
        (reader.Varint(), reader.IsAtEnd).Should().Be((number, true));
    }

    [Fact]
    public void A_number_of_more_than_ten_bytes_and_a_length_above_two_gibibytes_are_invalid()
    {
        FluentActions.Invoking(static () => new EntryReader([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).Varint()).Should().Throw<InvalidDataException>();
        FluentActions.Invoking(static () => new EntryReader([0x80, 0x80, 0x80, 0x80, 0x08]).Count()).Should().Throw<InvalidDataException>();
        new EntryReader([0xFF, 0xFF, 0xFF, 0xFF, 0x07]).Count().Should().Be(int.MaxValue);
        FluentActions.Invoking(static () => new EntryReader([1]).Next(2)).Should().Throw<InvalidDataException>();
        FluentActions.Invoking(static () => new EntryReader([1]).Next(-1)).Should().Throw<InvalidDataException>();
        new EntryReader([1]).Next(1).ToArray().Should().Equal(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_header_is_read_as_it_was_written(bool isSealed)
    {
        var header = new JournalHeader(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), isSealed, 0x0102030405060708, 77);
        var bytes = HeaderBytes(header);

        JournalHeader.Read(bytes, "a.journal").Should().Be(header);
        JournalHeader.Read([.. bytes, 1, 2, 3], "a.journal").Should().Be(header, "records follow");
        FluentActions.Invoking(() => JournalHeader.Read(bytes.AsSpan(0, JournalHeader.Length - 1), "a.journal")).Should().Throw<BatchJournalDamagedException>().WithMessage("*'a.journal'*");
    }

    [Fact]
    public void A_header_with_any_bit_changed_is_refused()
    {
        var bytes = HeaderBytes(new JournalHeader(Guid.NewGuid(), IsSealed: true, 5, 1));
        for (var bit = 0; bit < 8 * JournalHeader.Length; bit++)
        {
            var changed = bytes.ToArray();
            changed[bit / 8] ^= (byte)(1 << bit % 8);
            FluentActions.Invoking(() => JournalHeader.Read(changed, "a.journal")).Should().Throw<BatchStoreException>($"bit {bit}");
        }
    }

    [Fact]
    public void A_header_of_a_later_format_asks_for_an_update()
    {
        var bytes = HeaderBytes(new JournalHeader(Guid.NewGuid(), IsSealed: false, 5, 1));
        bytes[8] = 2;
        FluentActions.Invoking(() => JournalHeader.Read(bytes, "a.journal")).Should().ThrowExactly<BatchStoreException>().WithMessage("*format 2*format 1*Update*");
    }

    [Fact]
    public void A_record_with_any_bit_changed_or_of_another_file_has_another_checksum()
    {
        var file = Guid.NewGuid();
        var record = new byte[RecordHeader.Length + 13];
        new Random(1).NextBytes(record);
        RecordHeader.Complete(record, 42, file);

        RecordHeader.Read(record).Should().Be(new RecordHeader(13, RecordHeader.SumOf(record, file), 42));
        RecordHeader.SumOf(record, Guid.NewGuid()).Should().NotBe(RecordHeader.SumOf(record, file));
        for (var bit = 0; bit < 8 * record.Length; bit++)
        {
            if (bit / 8 is >= 4 and < 8)
                continue; // the checksum itself
            var changed = record.ToArray();
            changed[bit / 8] ^= (byte)(1 << bit % 8);
            RecordHeader.SumOf(changed, file).Should().NotBe(RecordHeader.SumOf(record, file), $"bit {bit}");
        }
    }

    [Fact]
    public void The_checksum_is_the_one_of_Castagnoli()
    {
        // The published check value of CRC-32C is 0xE3069283; its last step inverts all bits.
        (~Checksum.Compute(Checksum.Start, "123456789"u8)).Should().Be(0xE306_9283);
        Checksum.Compute(Checksum.Compute(Checksum.Start, "12345678"u8), "9"u8).Should().Be(Checksum.Compute(Checksum.Start, "123456789"u8));
    }

    private static byte[] HeaderBytes(JournalHeader header)
    {
        var bytes = new byte[JournalHeader.Length];
        Array.Fill(bytes, (byte)0xAA);
        header.Write(bytes);
        return bytes;
    }

    private static ReadOnlyMemory<byte> ContentOf(byte[] entry, EntryKind kind)
    {
        var reader = new EntryReader(entry);
        var (found, length) = reader.Entry();
        (found, length).Should().Be((kind, reader.Left));
        return entry.AsMemory(entry.Length - length);
    }
}
