using HaKit.Recording;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Recording;

/// <summary>The files of a recording may be deleted by other programs and replicas, and may be impossible to delete. The recorder continues.</summary>
public sealed class FolderTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void A_recorder_whose_file_was_deleted_goes_on_in_a_new_file()
    {
        using var pool = new RecordedPool();
        pool.Test.Call();
        pool.Test.Time.Advance(S(6));
        File.Delete(Directory.GetFiles(pool.Folder).Should().ContainSingle().Subject);
        pool.Test.Call();
        pool.Test.Time.Advance(S(6));
        var recording = pool.Read();
        recording.Events.OfType<RecordedCall>().Should().ContainSingle("only what was deleted is lost");
        recording.Events.OfType<RecordedConfiguration>().Should().ContainSingle();
        pool.Told.Should().BeEmpty();
    }

    [Fact]
    public void A_busy_replica_does_not_delete_the_file_to_which_a_quiet_replica_writes()
    {
        using var folder = new TemporaryFolder();
        var options = new FlightRecorderOptions { Folder = folder.Path, SegmentBytes = 100, MaxBytes = 1000 };
        using var quiet = new SegmentWriter(new FlightRecorderOptions { Folder = folder.Path }, "chat", SegmentWriter.OpenOnDisk);
        using var busy = new SegmentWriter(options, "chat", SegmentWriter.OpenOnDisk);
        var block = new byte[200];
        Random.Shared.NextBytes(block);
        for (var i = 0; i < 20; i++)
        {
            Write(quiet, "x"u8, Start.AddMinutes(2 * i));
            Write(busy, block, Start.AddMinutes(2 * i + 1));
        }
        var files = SegmentWriter.FilesOf(folder.Path, "chat").ToArray();
        files.Sum(static f => f.Length).Should().BeLessThan(1500);
        files[0].Name.Should().StartWith("chat-20260101T000000Z", "the file of the quiet replica has the newest entries but one");
        files.Length.Should().BeGreaterThan(1);

        void Write(SegmentWriter writer, ReadOnlySpan<byte> entries, DateTimeOffset at)
        {
            var before = SizesOf(folder.Path);
            writer.Write(entries, S(1), at);
            // The clock of the file system is too coarse for a test that writes several times in a millisecond.
            foreach (var (file, size) in SizesOf(folder.Path))
            {
                if (!before.TryGetValue(file, out var old) || old != size)
                    File.SetLastWriteTimeUtc(file, at.UtcDateTime);
            }
        }
    }

    [Fact]
    public void A_file_that_cannot_be_deleted_is_left_and_the_others_are_deleted()
    {
        using var folder = new TemporaryFolder();
        string? kept = null;
        using var writer = new SegmentWriter(new FlightRecorderOptions { Folder = folder.Path, SegmentBytes = 1, MaxBytes = 1 }, "chat", SegmentWriter.OpenOnDisk, file =>
        {
            kept ??= file;
            if (file == kept)
                throw new UnauthorizedAccessException("Access to the path is denied.");
            File.Delete(file);
        });
        for (var i = 0; i < 5; i++)
            writer.Write("x"u8, S(i), Start.AddMinutes(i));
        Directory.GetFiles(folder.Path).Should().HaveCount(2).And.Contain(kept);
    }

    [Fact]
    public void A_file_that_cannot_be_deleted_costs_no_entries_and_is_reported_once()
    {
        var isHeld = true;
        using var pool = new RecordedPool(
            recorder: o => (o.SegmentBytes, o.MaxBytes) = (1, 1),
            delete: file =>
            {
                if (isHeld)
                    throw new IOException("The process cannot access the file.");
                File.Delete(file);
            });
        for (var i = 0; i < 10; i++)
        {
            pool.Test.Call();
            pool.Test.Time.Advance(S(6));
        }
        pool.Told.Should().ContainSingle().Which.Should().Match<HaKit.Testing.RecordedLog>(l => l.Level == LogLevel.Warning && l.Message.Contains("cannot be deleted") && l.Message.Contains("The process cannot access the file."));
        FlightRecording.Read(pool.Folder).Events.OfType<RecordedCall>().Should().HaveCount(10);
        isHeld = false;
        pool.Test.Call();
        pool.Test.Time.Advance(S(6));
        Directory.GetFiles(pool.Folder).Should().ContainSingle();
    }

    [Theory, InlineData(0), InlineData(1)]
    public void A_full_disk_leaves_no_file_without_entries(int writes)
    {
        var isFull = true;
        using var pool = new RecordedPool(open: path => new FullDisk(SegmentWriter.OpenOnDisk(path), writes, () => isFull));
        for (var i = 0; i < 100; i++)
        {
            pool.Test.Call();
            pool.Test.Time.Advance(S(6));
        }
        Directory.GetFiles(pool.Folder).Should().BeEmpty();
        isFull = false;
        pool.Test.Time.Advance(S(60));
        pool.Test.Call();
        var recording = pool.Read();
        recording.Events.OfType<RecordedCall>().Should().NotBeEmpty();
        recording.Problems.Should().BeEmpty();
    }

    private static Dictionary<string, long> SizesOf(string folder) => new DirectoryInfo(folder).GetFiles().ToDictionary(static f => f.FullName, static f => f.Length);

    private sealed class FullDisk(Stream inner, int writes, Func<bool> isFull) : StreamOverDisk(inner)
    {
        private int _left = writes;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (isFull() && _left-- == 0)
            {
                Inner.Write(buffer[..(buffer.Length / 2)]);
                throw new IOException("No space left on device");
            }
            Inner.Write(buffer);
        }
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("hakit-folder-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
