using System.Security.Cryptography;
using System.Text;
using HaKit.Batch.Journal;
using HaKit.Batch.Stores;
using static HaKit.Batch.Tests.Journal.JournalScenario;

namespace HaKit.Batch.Tests.Journal;

public sealed class JournalStoreTests
{
    private readonly MemoryFileSystem _files = new();

    [Fact(Timeout = 30_000)]
    public async Task Items_and_outcomes_are_read_back_as_they_were_written()
    {
        await using (var store = Open(_files))
        {
            await store.AddAsync(0, 3);
            await store.FinishOneAsync();
            var claim = (await store.ClaimAsync(1, mayRepeat: true)).Single();
            await store.CommitAsync(claim, Outcome("", BatchItemState.Failed) with { Error = "ContentFilter (400)", Endpoint = null, Result = default });
        }
        await using var again = Open(_files);
        (await again.CountAsync()).Should().Be(new BatchCounts { Total = 3, Succeeded = 1, Failed = 1, Calls = 1, Spent = 1 });
        var stored = await again.ReadFinishedAsync(BatchContent.All).ToListAsync();
        stored.Select(s => s.Id).Should().Equal("item-0", "item-1");
        stored[0].Outcome.Should().BeEquivalentTo(Outcome("result of item-0"), o => o.Excluding(x => x.Result).Excluding(x => x.Request));
        stored[0].Outcome.Request.Should().Be(RequestFingerprint.Compute("result of item-0"u8));
        Encoding.UTF8.GetString(stored[0].Outcome.Result.Span).Should().Be("result of item-0");
        Encoding.UTF8.GetString(stored[0].Input.Span).Should().Be("input 0");
        stored[1].Outcome.Error.Should().Be("ContentFilter (400)");
        (await again.ClaimAsync(5, mayRepeat: true)).Select(c => c.Id).Should().Equal("item-2");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_same_id_and_input_are_added_once()
    {
        await using var store = Open(_files);
        await store.AddAsync(0, 10);
        (await store.AddAsync([.. Enumerable.Range(5, 10).Select(i => Input(i))], replaceChanged: false)).Should().Be(new BatchAdded(5, 0, null));
        (await store.CountAsync()).Total.Should().Be(15);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_changed_input_is_told_and_replaced_only_when_asked_for()
    {
        await using (var store = Open(_files))
        {
            await store.AddAsync(0, 2);
            await store.FinishOneAsync();
            (await store.AddAsync([Input(0, "new"), Input(1)], replaceChanged: false)).Should().Be(new BatchAdded(0, 1, "item-0"));
            (await store.ResultsAsync()).Should().ContainKey("item-0");
            (await store.AddAsync([Input(0, "new")], replaceChanged: true)).Should().Be(new BatchAdded(0, 1, "item-0"));
            (await store.ResultsAsync()).Should().BeEmpty();
        }
        await using var again = Open(_files);
        (await again.ResultsAsync()).Should().BeEmpty();
        var claims = await again.ClaimAsync(5, mayRepeat: true);
        claims.Select(c => c.Id + ": " + Encoding.UTF8.GetString(c.Input.Span)).Should().Equal("item-0: new 0", "item-1: input 1");
    }

    [Fact(Timeout = 30_000)]
    public async Task An_outcome_that_is_redone_has_one_current_result()
    {
        await using (var store = Open(_files))
        {
            await store.AddAsync(0, 2);
            await store.FinishOneAsync();
            await store.RedoAsync(await store.ReadFinishedAsync(BatchContent.Outcome).ToListAsync());
            (await store.ResultsAsync()).Should().BeEmpty();
            (await store.FinishOneAsync("second of ")).Should().Be("item-0");
        }
        await using var again = Open(_files);
        (await again.ResultsAsync()).Should().BeEquivalentTo(new Dictionary<string, string> { ["item-0"] = "second of item-0" });
        (await again.CountAsync()).Succeeded.Should().Be(1);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_call_that_a_crash_cut_is_counted_by_its_estimate_and_its_item_is_claimed_again()
    {
        var store = Open(_files);
        await store.AddAsync(0, 1);
        var claim = (await store.ClaimAsync(1, mayRepeat: true)).Single();
        (await store.StartAsync(claim, new BatchStart(2, MaxCost: 10, MayRepeat: true))).Should().BeTrue();
        (await store.CountAsync()).Reserved.Should().Be(2);
        await using var again = Open(_files.Kill());
        (await again.CountAsync()).Should().Be(new BatchCounts { Total = 1, Calls = 1, LostCalls = 1, Spent = 2 });
        again.Notices.Should().ContainSingle().Which.Should().Contain("1 calls were in flight");
        (await again.ClaimAsync(1, mayRepeat: true)).Should().ContainSingle();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_call_that_must_not_be_repeated_and_was_cut_leaves_its_item_unknown()
    {
        var store = Open(_files);
        await store.AddAsync(0, 2);
        var claim = (await store.ClaimAsync(1, mayRepeat: false)).Single();
        await store.StartAsync(claim, new BatchStart(2, null, MayRepeat: false));
        var files = _files.Crash(static _ => false); // the note is durable before the call begins
        for (var opened = 0; opened < 2; opened++)
        {
            await using var again = Open(files);
            (await again.CountAsync()).Should().Be(new BatchCounts { Total = 2, Unknown = 1, Calls = 1, LostCalls = 1, Spent = 2 });
            var claims = await again.ClaimAsync(5, mayRepeat: false);
            claims.Select(c => c.Id).Should().Equal("item-1");
            await again.ReleaseAsync(claims);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task No_call_starts_that_could_exceed_the_cost()
    {
        await using var store = Open(_files);
        await store.AddAsync(0, 3);
        var claims = await store.ClaimAsync(3, mayRepeat: true);
        (await store.StartAsync(claims[0], new BatchStart(4, 10, true))).Should().BeTrue();
        (await store.StartAsync(claims[1], new BatchStart(4, 10, true))).Should().BeTrue();
        (await store.StartAsync(claims[2], new BatchStart(4, 10, true))).Should().BeFalse();
        await store.CommitAsync(claims[0], Outcome("a", cost: 1));
        (await store.StartAsync(claims[2], new BatchStart(4, 10, true))).Should().BeTrue();
        await store.EndAsync(claims[2], cost: 3);
        await store.ReleaseAsync([claims[2]]);
        (await store.CountAsync()).Spent.Should().Be(4);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_second_process_is_told_that_the_journal_is_in_use_and_by_which()
    {
        await using var store = Open(_files);
        var second = () => Open(_files);
        second.Should().Throw<BatchLockedException>().WithMessage($"*in use by process {Environment.ProcessId} on*since*");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_whose_lock_file_was_replaced_writes_no_more()
    {
        var store = Open(_files);
        await store.AddAsync(0, 1);
        _files.Delete(Name + ".lock");
        await using var second = Open(_files); // if the lock file is deleted, a second process can open the journal
        var add = () => store.AddAsync(1, 1);
        await add.Should().ThrowAsync<BatchLockedException>().WithMessage("*deleted or replaced*");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_whose_file_was_replaced_writes_no_more()
    {
        var store = Open(_files);
        await store.AddAsync(0, 1);
        _files.SetContent(FirstFile, [.. _files.ContentOf(FirstFile)]);
        var add = () => store.AddAsync(1, 1);
        (await add.Should().ThrowAsync<BatchStoreException>()).WithMessage("*replaced or changed by another program*");
        (await add.Should().ThrowAsync<BatchStoreException>()).WithMessage("*replaced or changed by another program*", "the journal stays closed");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_failed_fsync_ends_the_journal_and_its_record_is_not_believed_until_it_is_written_again()
    {
        var store = Open(_files);
        await store.AddAsync(0, 1);
        _files.FailedFlushLeavesPagesClean = true;
        _files.Trouble = static what => what.StartsWith("flush", StringComparison.Ordinal) ? new IOException("input/output error") : null;
        var finish = () => store.FinishOneAsync();
        await finish.Should().ThrowAsync<BatchStoreException>().WithMessage("*input/output error*");
        _files.Trouble = null;
        var add = () => store.AddAsync(1, 1);
        await add.Should().ThrowAsync<BatchStoreException>("after a failed fsync nothing is known of the disk");

        // The system shows the record as written, but never writes its pages to the disk by itself.
        var killed = _files.Kill();
        await using (var again = Open(killed))
            (await again.ResultsAsync()).Should().ContainKey("item-0");
        await using var afterPowerLoss = Open(killed.Crash(static _ => false));
        (await afterPowerLoss.ResultsAsync()).Should().ContainKey("item-0", "what a run returned was made durable when the journal was opened");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_full_disk_ends_the_journal_and_the_next_opening_cuts_the_half_record_off()
    {
        var store = Open(_files);
        await store.AddAsync(0, 2);
        await store.FinishOneAsync();
        _files.Trouble = static what => what.StartsWith("write", StringComparison.Ordinal) ? new IOException("No space left on device") : null;
        var finish = () => store.FinishOneAsync();
        await finish.Should().ThrowAsync<BatchStoreException>().WithMessage("*No space left*");
        _files.Trouble = null;
        await using var again = Open(_files.Kill());
        again.Notices.Should().Contain(n => n.Contains("unfinished", StringComparison.Ordinal));
        (await again.ResultsAsync()).Keys.Should().Equal("item-0");
        (await again.FinishOneAsync()).Should().Be("item-1");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_of_a_newer_format_is_refused_by_name()
    {
        await Open(_files).DisposeAsync();
        var content = _files.ContentOf(FirstFile);
        content[8] = 2;
        _files.SetContent(FirstFile, content);
        var open = () => Open(_files);
        open.Should().Throw<BatchStoreException>().WithMessage($"'{FirstFile}' has format 2*Update the package.");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_sealed_journal_needs_its_key_and_shows_nothing_without()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        await using (var store = Open(_files, key))
        {
            await store.AddAsync(0, 2, "secret prompt");
            await store.FinishOneAsync("secret answer ");
        }
        Encoding.Latin1.GetString(_files.ContentOf(FirstFile)).Should().NotContain("secret").And.NotContain("item-");
        await using (var again = Open(_files, key))
            (await again.ResultsAsync()).Should().BeEquivalentTo(new Dictionary<string, string> { ["item-0"] = "secret answer item-0" });
        new Action(() => Open(_files)).Should().Throw<BatchStoreException>().WithMessage("*sealed: its key is needed*");
        new Action(() => Open(_files, RandomNumberGenerator.GetBytes(32))).Should().Throw<BatchStoreException>().WithMessage("*sealed with another key*");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_hundred_thousand_items_take_at_most_64_bytes_of_memory_each()
    {
        await using var store = Open(_files);
        for (var from = 0; from < 100_000; from += 10_000)
            await store.AddAsync(from, 10_000);
        store.IndexMemory.Should().BeLessThanOrEqualTo(64 * 100_000);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_journal_of_which_less_than_half_counts_is_compacted_into_a_file_of_the_next_number()
    {
        await using (var store = Open(_files))
        {
            await store.AddAsync([Input(0), Input(1)], replaceChanged: false);
            for (var i = 0; i < 20; i++)
            {
                var claim = (await store.ClaimAsync(1, mayRepeat: true)).Single();
                await store.StartAsync(claim, new BatchStart(1, null, true));
                await store.CommitAsync(claim, Outcome(new string('x', 100_000) + i));
                await store.RedoAsync(await store.ReadFinishedAsync(BatchContent.Outcome).ToListAsync());
            }
            await store.FinishOneAsync("last ");
        }
        BatchCounts before;
        await using (var compacted = Open(_files))
        {
            before = await compacted.CountAsync();
            compacted.Notices.Should().ContainSingle().Which.Should().Contain("compacted");
            (await compacted.ResultsAsync()).Values.Should().Equal("last item-0");
            _files.Paths.Should().Contain(Name + ".000002").And.NotContain(FirstFile);
            _files.LengthOf(Name + ".000002").Should().BeLessThan(2000);
            (await compacted.FinishOneAsync()).Should().Be("item-1");
        }
        await using var again = Open(_files);
        (await again.ResultsAsync()).Should().HaveCount(2);
        (await again.CountAsync()).Should().Be(before with { Succeeded = 2, Calls = before.Calls + 1, Spent = before.Spent + 0.5 });
    }

    [Fact(Timeout = 30_000)]
    public async Task A_refused_replacement_loses_no_item_that_stood_before_it()
    {
        await using (var store = Open(_files))
        {
            await store.AddAsync(0, 2);
            var claim = (await store.ClaimAsync(1, mayRepeat: true)).Single();
            var add = async () => await store.AddAsync([Input(5), Input(1, "new"), Input(0, "new")], replaceChanged: true);
            await add.Should().ThrowAsync<BatchStoreException>().WithMessage("*'item-0' is being worked on*");
            await store.ReleaseAsync([claim]);
            await add();
            await store.AddAsync(6, 1);
        }
        await using var again = Open(_files);
        var claims = await again.ClaimAsync(9, mayRepeat: true);
        claims.Select(c => c.Id + ": " + Encoding.UTF8.GetString(c.Input.Span)).Should().Equal("item-0: new 0", "item-1: new 1", "item-5: input 5", "item-6: input 6");
    }

    [Fact(Timeout = 30_000)]
    public async Task An_item_is_not_claimed_with_its_old_input_while_the_new_one_is_being_written()
    {
        var store = Open(_files);
        await store.AddAsync(0, 2);
        IReadOnlyList<BatchClaim>? during = null;
        _files.Trouble = what =>
        {
            if (what.StartsWith("write", StringComparison.Ordinal) && during is null)
                during = store.ClaimAsync(5, mayRepeat: true).AsTask().Result;
            return null;
        };
        await store.AddAsync([Input(0, "new")], replaceChanged: true);
        during!.Select(c => c.Id).Should().Equal("item-1");
        var claim = (await store.ClaimAsync(5, mayRepeat: true)).Should().ContainSingle().Subject;
        Encoding.UTF8.GetString(claim.Input.Span).Should().Be("new 0");
    }

    [Fact(Timeout = 30_000)]
    public async Task Items_whose_inputs_could_not_be_read_can_be_claimed_later()
    {
        await using var store = Open(_files);
        await store.AddAsync(0, 2);
        _files.Trouble = static what => what.StartsWith("read", StringComparison.Ordinal) ? new IOException("input/output error") : null;
        var claim = async () => await store.ClaimAsync(2, mayRepeat: true);
        await claim.Should().ThrowAsync<IOException>();
        _files.Trouble = null;
        (await store.ClaimAsync(5, mayRepeat: true)).Should().HaveCount(2);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_cost_of_a_call_whose_outcome_is_unknown_is_the_same_after_a_reopening()
    {
        BatchCounts before;
        await using (var store = Open(_files))
        {
            await store.AddAsync(0, 1);
            var claim = (await store.ClaimAsync(1, mayRepeat: false)).Single();
            await store.StartAsync(claim, new BatchStart(2, null, MayRepeat: false));
            await store.CommitAsync(claim, Outcome("", BatchItemState.Unknown, cost: 6));
            before = await store.CountAsync();
        }
        await using var again = Open(_files);
        (await again.CountAsync()).Should().Be(before).And.Be(new BatchCounts { Total = 1, Unknown = 1, Calls = 1, Spent = 6 });
    }

    [Fact(Timeout = 30_000)]
    public async Task An_item_whose_call_ended_before_a_crash_is_called_again_even_if_calls_must_not_be_repeated()
    {
        var store = Open(_files);
        await store.AddAsync(0, 1);
        var claim = (await store.ClaimAsync(1, mayRepeat: false)).Single();
        await store.StartAsync(claim, new BatchStart(2, null, MayRepeat: false));
        await store.EndAsync(claim, cost: 0); // answered with 429: not processed
        await using var again = Open(_files.Crash(static _ => false));
        (await again.ClaimAsync(1, mayRepeat: false)).Should().ContainSingle();
    }
}
