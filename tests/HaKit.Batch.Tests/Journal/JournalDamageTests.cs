using HaKit.Batch.Journal;
using HaKit.Batch.Stores;
using static HaKit.Batch.Tests.Journal.JournalScenario;

namespace HaKit.Batch.Tests.Journal;

/// <summary>Tests the journal after a crash, a power loss or a disk fault.</summary>
public sealed class JournalDamageTests
{
    public static TheoryData<bool> Sealing => [false, true];

    private static byte[]? Key(bool isSealed) => isSealed ? "a key of 24 bytes or more"u8.ToArray() : null;

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Sealing))]
    public async Task A_file_cut_at_any_byte_of_its_last_records_is_opened_and_loses_only_what_was_not_returned(bool isSealed)
    {
        var files = new MemoryFileSystem();
        var ends = new List<(int Length, int Results)>();
        await using (var store = Open(files, Key(isSealed)))
        {
            await store.AddAsync(0, 6);
            ends.Add(((int)files.LengthOf(FirstFile), 0));
            for (var finished = 1; finished <= 6; finished++)
            {
                await store.FinishOneAsync();
                ends.Add(((int)files.LengthOf(FirstFile), finished));
            }
        }
        var whole = files.ContentOf(FirstFile);
        for (var length = ends[0].Length; length <= whole.Length; length++)
        {
            files.SetContent(FirstFile, whole[..length]);
            var returned = ends.Last(e => e.Length <= length);
            await using (var opened = Open(files, Key(isSealed)))
            {
                (await opened.ResultsAsync()).Should().HaveCount(returned.Results, "the file was cut at byte {0}", length);
                opened.Notices.Any(n => n.Contains("unfinished", StringComparison.Ordinal)).Should().Be(length > returned.Length, "what is cut is said");
                await opened.FinishRestAsync();
            }
            await using var again = Open(files, Key(isSealed));
            (await again.ResultsAsync()).Should().HaveCount(6);
            again.Notices.Should().BeEmpty();
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Sealing))]
    public async Task A_damaged_byte_with_valid_records_after_it_is_refused_and_nothing_is_changed(bool isSealed)
    {
        var files = new MemoryFileSystem();
        int begin, end;
        await using (var store = Open(files, Key(isSealed)))
        {
            await store.AddAsync(0, 3);
            begin = (int)files.LengthOf(FirstFile);
            await store.FinishOneAsync();
            end = (int)files.LengthOf(FirstFile);
            await store.FinishOneAsync();
        }
        var whole = files.ContentOf(FirstFile);
        for (var at = JournalHeader.Length; at < end; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x40;
            files.SetContent(FirstFile, damaged);
            var open = () => Open(files, Key(isSealed));
            var refused = open.Should().Throw<BatchJournalDamagedException>("byte {0} is damaged", at).WithMessage($"*'{FirstFile}'*hakit batch repair*").Which;
            refused.Offset.Should().Be(at < begin ? JournalHeader.Length : begin);
            files.ContentOf(FirstFile).Should().Equal(damaged);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Whatever_byte_of_the_header_is_damaged_the_journal_is_refused()
    {
        var files = new MemoryFileSystem();
        await using (var store = Open(files))
            await store.AddAsync(0, 1);
        var whole = files.ContentOf(FirstFile);
        for (var at = 0; at < JournalHeader.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 1;
            files.SetContent(FirstFile, damaged);
            new Action(() => Open(files)).Should().Throw<BatchStoreException>("byte {0} of the header is damaged", at);
        }
    }

    /// <summary>
    /// The power fails at each moment in the life of a journal: at its creation, at each record, at a compaction. Every subset of the changes that are not
    /// durable then survives. If there are more than a thousand subsets, a thousand of them are tested.
    /// </summary>
    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Sealing))]
    public async Task After_a_power_loss_with_any_subset_of_the_unsynced_writes_nothing_is_lost_that_was_returned(bool isSealed)
    {
        var random = new Random(26);
        var crashes = 0;
        for (var moment = 1; ; moment++)
        {
            var files = new MemoryFileSystem { PieceLength = 40 };
            var returned = new List<string>();
            var added = 0;
            var calls = 0;
            files.Trouble = what => !what.StartsWith("read", StringComparison.Ordinal) && ++calls == moment ? new PowerLoss(what) : null;
            var isOver = false;
            try
            {
                await using var store = Open(files, Key(isSealed));
                for (var i = 0; i < 4; i++)
                {
                    await store.AddAsync(i, 1);
                    added = i + 1;
                    returned.Add(await store.FinishOneAsync(new string('r', 150)));
                }
                isOver = true;
            }
            catch (Exception exception) when (exception is PowerLoss or BatchStoreException { InnerException: PowerLoss })
            {
            }
            if (isOver && calls < moment)
                break;
            foreach (var survives in Subsets(files.Unsynced, random))
            {
                crashes++;
                var after = files.Crash(survives);
                await using var again = Open(after, Key(isSealed));
                returned.Except((await again.ResultsAsync()).Keys).Should().BeEmpty();
                (await again.CountAsync()).Total.Should().BeGreaterThanOrEqualTo(added);
                await again.AddAsync(0, 4);
                await again.FinishRestAsync();
                await again.DisposeAsync();
                await using var last = Open(after.Crash(static _ => false), Key(isSealed));
                (await last.ResultsAsync()).Should().HaveCount(4);
            }
        }
        crashes.Should().BeGreaterThan(1000);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_power_loss_during_a_compaction_loses_nothing()
    {
        var random = new Random(27);
        for (var moment = 1; ; moment++)
        {
            var files = new MemoryFileSystem { PieceLength = 4096 };
            await WithGarbageAsync(files);
            var calls = 0;
            files.Trouble = what => !what.StartsWith("read", StringComparison.Ordinal) && ++calls == moment ? new PowerLoss(what) : null;
            try
            {
                await Open(files).DisposeAsync();
                files.Trouble = null;
            }
            catch (PowerLoss)
            {
            }
            foreach (var survives in Subsets(files.Unsynced, random, most: 100))
            {
                await using var again = Open(files.Crash(survives));
                (await again.ResultsAsync()).Values.Should().Equal("last item-0");
            }
            if (calls < moment)
                break;
            moment.Should().BeLessThan(100);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_disk_that_is_too_full_to_compact_a_journal_keeps_no_result_back()
    {
        var files = new MemoryFileSystem();
        await WithGarbageAsync(files);
        for (var moment = 1; moment < 100; moment++)
        {
            var disk = files.Crash(static _ => true);
            var calls = 0;
            disk.Trouble = what => what.Contains(".000002", StringComparison.Ordinal) && !what.StartsWith("read", StringComparison.Ordinal) && ++calls == moment ? new IOException("No space left on device") : null;
            await using (var store = Open(disk))
            {
                disk.Trouble = null;
                (await store.ResultsAsync()).Values.Should().Equal("last item-0");
                await store.FinishOneAsync("later ");
                if (calls < moment)
                    return;
                store.Notices.Should().ContainSingle(n => n.Contains("could not be compacted", StringComparison.Ordinal));
            }
            await using var again = Open(disk.Crash(static _ => false));
            (await again.ResultsAsync()).Values.Should().Equal("last item-0", "later item-1");
        }
        Assert.Fail("The compaction never ended.");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(Name + ".20261130")]
    [InlineData(Name + ".1000000")]
    [InlineData(Name + ".latest.000001")]
    [InlineData(Name + ".reviews.journal.000002")]
    [InlineData(Name + ".000002.bak")]
    public async Task A_file_with_a_similar_name_is_left_alone_and_does_not_take_the_place_of_the_journal(string other)
    {
        var files = new MemoryFileSystem();
        await using (var store = Open(files))
            await store.AddAsync(0, 1);
        files.SetContent(other, files.ContentOf(FirstFile));
        await using (var store = Open(files))
            await store.FinishOneAsync();
        await using var again = Open(files);
        (await again.ResultsAsync()).Should().HaveCount(1);
        files.Paths.Should().Contain(FirstFile).And.Contain(other);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("000002", true)]
    [InlineData("000002", false)]
    [InlineData("000003", true)]
    [InlineData("000003", false)]
    public async Task A_copy_with_a_later_number_is_refused_and_nothing_is_deleted(string number, bool isCopyOfItself)
    {
        var files = new MemoryFileSystem();
        await using (var store = Open(files))
            await store.AddAsync(0, 1);
        var other = new MemoryFileSystem();
        await WithGarbageAsync(other);
        await Open(other).DisposeAsync(); // compacted: it names the file before it
        files.SetContent(Name + "." + number, isCopyOfItself ? files.ContentOf(FirstFile) : other.ContentOf(Name + ".000002"));
        var open = () => Open(files);
        open.Should().Throw<BatchStoreException>().WithMessage("*Move it to another folder. Nothing was changed.");
        files.Paths.Should().Contain([FirstFile, Name + "." + number]);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_damaged_file_keeps_the_file_before_it()
    {
        var files = new MemoryFileSystem();
        await WithGarbageAsync(files);
        var first = files.ContentOf(FirstFile);
        await using (var store = Open(files))
            await store.AddAsync(5, 3);
        files.SetContent(FirstFile, first);
        var damaged = files.ContentOf(Name + ".000002");
        damaged[JournalHeader.Length + 30] ^= 1;
        files.SetContent(Name + ".000002", damaged);
        FluentActions.Invoking(() => Open(files)).Should().Throw<BatchJournalDamagedException>();
        files.Paths.Should().Contain(FirstFile);
    }

    [Fact(Timeout = 60_000)]
    public async Task Repair_copies_the_records_of_a_journal_with_a_damaged_header()
    {
        var files = new MemoryFileSystem();
        await using (var store = Open(files))
        {
            await store.AddAsync(0, 2);
            await store.FinishOneAsync();
        }
        var settings = new JournalSettings(files, null, TimeProvider.System, OwnThread: false);
        var whole = files.ContentOf(FirstFile);
        for (var at = 0; at < JournalHeader.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 1;
            if (at is 8 or 9)
                continue; // such a file looks like one of a newer format, which this version must not copy
            files.SetContent(FirstFile, damaged);
            var name = $"{Name}-good{at}";
            var repair = () => JournalRepair.Repair(Name, name, settings);
            if (at is >= 16 and < 32)
            {
                repair.Should().Throw<BatchJournalDamagedException>().WithMessage("Nothing in*can be recovered*");
                files.SetContent(FirstFile, whole);
            }
            repair().Should().BeEquivalentTo(new { Items = 2L, Outcomes = 1L }, "byte {0} is damaged, and an earlier repair may have been interrupted", at);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Repair_copies_what_is_good_and_gives_no_item_the_result_of_another(bool itemsAreLost)
    {
        var files = new MemoryFileSystem();
        var places = new List<int>();
        await using (var store = Open(files))
        {
            for (var i = 0; i < 4; i++)
            {
                places.Add((int)files.LengthOf(FirstFile));
                await store.AddAsync(i * 2, 2);
            }
            for (var i = 0; i < 8; i++)
            {
                places.Add((int)files.LengthOf(FirstFile));
                await store.FinishOneAsync();
            }
        }
        var damaged = files.ContentOf(FirstFile);
        damaged[places[itemsAreLost ? 1 : 5] + 25] ^= 1;
        files.SetContent(FirstFile, damaged);
        var settings = new JournalSettings(files, null, TimeProvider.System, OwnThread: false);
        var repair = JournalRepair.Repair(Name, Name + "-good", settings);
        repair.Should().BeEquivalentTo(itemsAreLost ? new { Items = 6L, Outcomes = 6L, Orphans = 2L } : new { Items = 8L, Outcomes = 7L, Orphans = 0L });
        repair.SkippedBytes.Should().Be(places[itemsAreLost ? 2 : 6] - places[itemsAreLost ? 1 : 5]);
        files.ContentOf(FirstFile).Should().Equal(damaged);
        await using var good = JournalOpener.Open(Name + "-good", settings, create: false);
        var results = await good.ResultsAsync();
        results.Should().HaveCount(itemsAreLost ? 6 : 7).And.OnlyContain(r => r.Value == "result of " + r.Key);
        (await good.ClaimAsync(9, mayRepeat: true)).Select(c => c.Id).Should().Equal(itemsAreLost ? [] : ["item-1"]);
    }

    // More than half of the bytes are no longer needed, so the next opening compacts the journal.
    private static async Task WithGarbageAsync(MemoryFileSystem files)
    {
        await using var store = Open(files);
        await store.AddAsync(0, 2);
        for (var i = 0; i < 13; i++)
        {
            await store.FinishOneAsync(new string('x', 100_000) + i);
            await store.RedoAsync(await store.ReadFinishedAsync(BatchContent.Outcome).ToListAsync());
        }
        await store.FinishOneAsync("last ");
    }

    // Gets all subsets if there are few. Otherwise gets a thousand subsets, including the empty and the full subset.
    private static IEnumerable<Func<int, bool>> Subsets(int count, Random random, int most = 1000)
    {
        if (count <= 10 && 1 << count <= most)
        {
            for (var bits = 0; bits < 1 << count; bits++)
            {
                var chosen = bits;
                yield return i => (chosen >> i & 1) != 0;
            }
            yield break;
        }
        yield return static _ => false;
        yield return static _ => true;
        for (var i = 2; i < most; i++)
        {
            var chosen = new bool[count];
            for (var j = 0; j < count; j++)
                chosen[j] = random.Next(2) == 0;
            yield return index => chosen[index];
        }
    }

    // Not an IOException: the process ends here, and handles nothing.
    private sealed class PowerLoss(string what) : Exception(what);
}
