using HaKit.Recording;

namespace HaKit.Tests.Recording;

/// <summary>A write may take long on a slow disk. Reloads, calls and the end of the pool during a write are recorded all the same.</summary>
public sealed class DuringWriteTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void A_reload_during_a_write_is_recorded()
    {
        RecordedPool? made = null;
        var blocks = 0;
        using var pool = made = new RecordedPool(recorder: o => o.Capacity = 32_768, open: path => new SlowDisk(SegmentWriter.OpenOnDisk(path), write =>
        {
            if (write == 2)
                made!.Test.Pool.AddEndpoint(new EndpointOptions { Name = "late" });
            blocks = write - 1;
        }));
        for (var i = 0; i < 6000; i++)
            _ = pool.Test.CallAsync();
        pool.Test.Time.Advance(S(6));
        blocks.Should().BeGreaterThan(1, "the reload comes between two blocks of the same write");
        pool.Test.Time.Advance(S(6));
        pool.Read().Events.OfType<RecordedConfiguration>().Select(static c => c.Json.Contains("late", StringComparison.Ordinal)).Should().Equal(false, true);
    }

    [Fact]
    public void A_pool_that_ends_during_a_write_has_its_last_calls_in_the_recording_and_closes_the_file()
    {
        RecordedPool? made = null;
        var isClosed = false;
        using var pool = made = new RecordedPool(open: path => new SlowDisk(
            SegmentWriter.OpenOnDisk(path),
            write =>
            {
                if (write != 2)
                    return;
                made!.Test.Call();
                made.Test.Pool.Dispose();
            },
            () => isClosed = true));
        pool.Test.Call();
        pool.Test.Time.Advance(S(6));
        isClosed.Should().BeTrue();
        FlightRecording.Read(pool.Folder).Events.OfType<RecordedCall>().Should().HaveCount(2);
    }

    [Fact]
    public async Task The_last_calls_are_recorded_and_the_file_is_closed_however_a_write_and_the_end_of_the_pool_overlap()
    {
        for (var i = 0; i < 200; i++)
        {
            var open = 0;
            var pool = new RecordedPool(open: path =>
            {
                Interlocked.Increment(ref open);
                return new SlowDisk(SegmentWriter.OpenOnDisk(path), static _ => { }, () => Interlocked.Decrement(ref open));
            });
            pool.Test.Call();
            using var start = new Barrier(2);
            var write = Task.Run(() =>
            {
                start.SignalAndWait();
                pool.Recorder.Flush();
            }, TestContext.Current.CancellationToken);
            start.SignalAndWait(TestContext.Current.CancellationToken);
            pool.Recorder.Dispose();
            await write;
            open.Should().Be(0);
            FlightRecording.Read(pool.Folder).Events.OfType<RecordedCall>().Should().ContainSingle();
            pool.Dispose();
        }
    }

    private sealed class SlowDisk(Stream inner, Action<int> meanwhile, Action? closed = null) : StreamOverDisk(inner)
    {
        private int _writes;
        private bool _isClosed;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            meanwhile(++_writes);
            Inner.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (!_isClosed)
                closed?.Invoke();
            _isClosed = true;
        }
    }
}
