using HaKit.Recording;

namespace HaKit.Tests.Recording;

public sealed class DamageTests
{
    private static (byte[] Bytes, IReadOnlyList<RecordedEvent> Events) Recorded()
    {
        using var pool = new RecordedPool();
        for (var i = 0; i < 120; i++)
        {
            pool.Test.Call(new RequestProfile { InputTokens = i });
            pool.Test.Time.Advance(TimeSpan.FromMilliseconds(i % 7 * 100));
        }
        var events = pool.Read().Events;
        return (File.ReadAllBytes(Directory.GetFiles(pool.Folder).Single()), events);
    }

    private static (IReadOnlyList<RecordedEvent> Events, IReadOnlyList<string> Problems) Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new SegmentReader();
        reader.Read("file", bytes);
        return (reader.TakeRecords(), reader.Problems);
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_gives_all_blocks_before_the_cut()
    {
        var (bytes, events) = Recorded();
        var last = -1;
        for (var length = 0; length <= bytes.Length; length++)
        {
            var (read, problems) = Read(bytes.AsSpan(0, length));
            read.Should().BeSubsetOf(events);
            read.Count.Should().BeGreaterThanOrEqualTo(last);
            last = read.Count;
            problems.Count.Should().BeLessThanOrEqualTo(1);
        }
        last.Should().Be(events.Count);
    }

    [Fact]
    public void A_byte_that_is_changed_costs_its_block_and_no_other()
    {
        var (bytes, events) = Recorded();
        var all = events.ToHashSet();
        var most = 0;
        for (var at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= 0x40;
            var (read, problems) = Read(bytes);
            // Damage before the first block changes the number of the file, which has no effect, or the header, which identifies the file.
            (read.Count == events.Count || problems.Count > 0).Should().BeTrue("the change at {0} must be found", at);
            read.All(all.Contains).Should().BeTrue();
            if (at >= SegmentHeader.Length)
                most = Math.Max(most, events.Count - read.Count);
            bytes[at] ^= 0x40;
        }
        most.Should().BeLessThan(events.Count / 2);
    }

    [Fact]
    public void Bytes_that_no_recorder_wrote_are_refused_and_never_throw()
    {
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(400)];
            random.NextBytes(bytes);
            var whole = new byte[SegmentHeader.Length + BlockHeader.Length + bytes.Length];
            new SegmentHeader(Guid.NewGuid(), 0).Write(whole);
            bytes.CopyTo(whole.AsSpan(SegmentHeader.Length + BlockHeader.Length));
            // The checksum is right, but the entries make no sense.
            new BlockHeader(bytes.Length, bytes.Length, TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch).Complete(whole.AsSpan(SegmentHeader.Length));
            Read(whole);
        }
    }
}
