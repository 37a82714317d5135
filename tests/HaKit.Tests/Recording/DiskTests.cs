using HaKit.Recording;
using HaKit.Testing;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Recording;

/// <summary>A disk that is full, read-only or slow costs entries of the recording and one line of the log, and never a call.</summary>
public sealed class DiskTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    public static TheoryData<string> Troubles => ["/dev/full", "/proc/no/such/folder", "read-only", "not-a-folder"];

    [Theory, MemberData(nameof(Troubles))]
    public void Calls_go_on_and_the_trouble_is_told_once(string trouble)
    {
        if (trouble[0] == '/' && !OperatingSystem.IsLinux())
            Assert.Skip("the device is Linux's");
        var file = Path.GetTempFileName();
        using var pool = new RecordedPool(
            recorder: o => o.Folder = trouble switch { "not-a-folder" => file, "/proc/no/such/folder" => trouble, _ => o.Folder },
            open: trouble switch
            {
                "/dev/full" => static _ => new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0),
                "read-only" => static _ => throw new UnauthorizedAccessException("Access to the path is denied."),
                _ => null,
            });
        for (var i = 0; i < 600; i++)
        {
            pool.Test.Call();
            pool.Test.Time.Advance(S(1));
        }
        pool.Told.Should().ContainSingle().Which.Should().Match<RecordedLog>(l => l.Level == LogLevel.Warning && l.Message.Contains("Calls are not affected"));
        File.Delete(file);
    }

    [Fact]
    public void A_disk_that_is_full_for_a_while_leaves_a_gap_that_says_how_many_entries_it_cost()
    {
        var isFull = false;
        using var pool = new RecordedPool(open: path => new FullDisk(SegmentWriter.OpenOnDisk(path), () => isFull));
        for (var i = 0; i < 500; i++)
        {
            isFull = i is >= 100 and < 200;
            pool.Test.Call();
            pool.Test.Time.Advance(S(1));
        }
        var recording = pool.Read();
        var calls = recording.Events.OfType<RecordedCall>().Count();
        var dropped = recording.Events.OfType<RecordedGap>().Sum(g => g.Dropped);
        calls.Should().BeInRange(300, 400);
        (2 * calls + dropped).Should().Be(2 * 500, "each call makes two entries");
        pool.Told.Select(l => l.Level).Should().Equal(LogLevel.Warning, LogLevel.Information);
        pool.Told.Last().Message.Should().Contain($"{dropped} entries");
        recording.Problems.Where(p => !p.Contains(" ends ", StringComparison.Ordinal)).Should().BeEmpty("only the ends of files are damaged");
    }

    [Fact]
    public void A_slow_disk_drops_what_does_not_fit_and_says_so_once()
    {
        RecordedPool? made = null;
        using var pool = made = new RecordedPool(recorder: o => o.Capacity = 64, open: path => new SlowDisk(SegmentWriter.OpenOnDisk(path), () =>
        {
            // Calls go on while the disk is slow.
            for (var i = 0; i < 100; i++)
                _ = made!.Test.CallAsync();
            made!.Test.Time.Advance(S(0.2));
        }));
        pool.Test.Call();
        pool.Test.Time.Advance(S(30));
        pool.Told.Where(l => l.Level == LogLevel.Warning).Should().ContainSingle().Which.Message.Should().Contain("the disk was too slow");
        pool.Read().Events.OfType<RecordedGap>().Should().NotBeEmpty();
    }

    [Fact]
    public void A_ring_that_is_half_full_is_written_before_the_interval_is_over()
    {
        using var pool = new RecordedPool(recorder: o => o.Capacity = 64);
        for (var i = 0; i < 200; i++)
            pool.Test.Call(); // 100 ms each: 3.2 s fill half the ring
        pool.Read().Events.OfType<RecordedGap>().Should().BeEmpty();
    }

    private sealed class FullDisk(Stream inner, Func<bool> isFull) : StreamOverDisk(inner)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!isFull())
            {
                Inner.Write(buffer);
                return;
            }
            Inner.Write(buffer[..(buffer.Length / 2)]);
            throw new IOException("No space left on device");
        }
    }

    private sealed class SlowDisk(Stream inner, Action meanwhile) : StreamOverDisk(inner)
    {
        private int _writes;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (++_writes == 2)
                meanwhile();
            Inner.Write(buffer);
        }
    }
}
