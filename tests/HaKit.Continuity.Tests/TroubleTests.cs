namespace HaKit.Continuity.Tests;

/// <summary>
/// Each of three destinations fails in turn. A check names the destination, a restore succeeds while one good copy is left, and a sync repairs the destination.
/// </summary>
public sealed class TroubleTests : VaultTestBase
{
    private readonly MemoryDestination[] _places = [new(), new(), new()];

    private Vault MakeThree() => Make([("a", _places[0]), ("b", _places[1]), ("c", _places[2])]);

    private static string NameOf(int place) => "abc"[place].ToString();

    [Fact(Timeout = Limit)]
    public async Task A_destination_that_fails_at_any_step_of_a_save_is_waited_for_once()
    {
        WriteSome();
        for (var steps = 0; steps < 40; steps++)
        {
            var time = new HaKit.Testing.ManualTimeProvider();
            MemoryDestination[] places = [new(), new()];
            await using var vault = Make([("a", places[0]), ("b", places[1])], configure: o => o.OperationTimeout = TimeSpan.FromSeconds(30), time: time);
            await vault.SaveAsync(Source, copies: 2, Token);
            Write("a.txt", $"changed {steps}");
            places[1].Left = steps;
            var began = time.GetTimestamp();

            var saved = await CompletedAsync(vault.SaveAsync(Source, copies: 1, Token), time);

            saved.Destinations.Should().Contain("a");
            time.GetElapsedTime(began).Should().BeLessThan(TimeSpan.FromSeconds(45), "{0} operations were done", steps);
            if (saved.Missed.Count == 0 && places[1].Left > 0)
                return;
            if (saved.Missed.Count > 0)
                saved.Missed.Keys.Should().Equal("b");
        }
        Assert.Fail("a save has fewer steps");
    }

    [Fact(Timeout = 10 * Limit)]
    public async Task Every_flipped_byte_of_each_destination_is_found_by_name_and_the_rest_restores()
    {
        Write("a", "content of the only file");
        await using var vault = MakeThree();
        var saved = await vault.SaveAsync(Source, copies: 3, Token);
        var tree = Tree(Source);
        for (var place = 0; place < 3; place++)
        {
            foreach (var (name, good) in _places[place].Copy())
            {
                for (var i = 0; i < good.Length; i++)
                {
                    _places[place].Objects[name] = Flipped(good, i);
                    var findings = (await vault.CheckAsync(Token)).Findings;
                    findings.Should().OnlyContain(f => f.Destination == NameOf(place), "byte {0} of {1} was flipped there", i, name);
                    findings.Should().Contain(f => f.ObjectName == name || f.Message.Contains(name), "byte {0} of {1} was flipped", i, name);
                    await RestoresAsync(vault, saved.Id, tree, $"byte {i} of {name}");
                    _places[place].Objects[name] = good;
                }
            }
        }
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task A_sync_repairs_every_kind_of_object_wherever_it_was_flipped()
    {
        WriteSome();
        await using var vault = MakeThree();
        await vault.SaveAsync(Source, copies: 3, Token);
        foreach (var (name, good) in _places[1].Copy())
        {
            foreach (var i in (int[])[0, 2, 3, 4, 9, 30, good.Length - 1])
            {
                _places[1].Objects[name] = Flipped(good, i);
                await vault.SyncAsync(Token);
                (await vault.CheckAsync(Token)).Findings.Should().BeEmpty("a sync repairs byte {0} of {1}", i, name);
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task What_is_cut_everywhere_fails_by_name_and_one_good_copy_is_enough()
    {
        WriteSome();
        await using var vault = MakeThree();
        var saved = await vault.SaveAsync(Source, copies: 3, Token);
        var tree = Tree(Source);
        foreach (var name in _places[0].Copy().Keys.Where(n => n[0] is 'c' or 's'))
        {
            for (var well = 0; well < 3; well++)
            {
                var before = _places.Select(p => p.Objects[name]).ToArray();
                for (var place = 0; place < 3; place++)
                {
                    if (place != well)
                        _places[place].Objects[name] = before[place][..(before[place].Length * (place + 1) / 4)];
                }
                var findings = (await vault.CheckAsync(Token)).Findings;
                findings.Where(f => f.ObjectName == name && f.Problem == VaultProblem.Damaged).Select(f => f.Destination).Should().BeEquivalentTo(Enumerable.Range(0, 3).Where(p => p != well).Select(NameOf));
                await RestoresAsync(vault, saved.Id, tree);

                _places[well].Objects[name] = before[well][..^1];
                var target = NewTarget();
                (await vault.Invoking(v => v.RestoreAsync(saved.Id, target, Token)).Should().ThrowAsync<VaultObjectException>()).Which.ObjectName.Should().StartWith(name[..66]);
                Directory.Exists(target).Should().BeFalse();
                _places[well].Objects[name] = before[well];
                var repaired = await vault.SyncAsync(Token);
                (repaired.Chunks + repaired.Snapshots).Should().Be(2);
                (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
            }
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData("down")]
    [InlineData("full")]
    [InlineData("slow")]
    [InlineData("read-only")]
    [InlineData("emptied")]
    [InlineData("rolled back")]
    public async Task A_destination_in_trouble_is_named_and_a_sync_completes_it(string trouble)
    {
        WriteSome();
        await using var vault = MakeThree();
        await vault.SaveAsync(Source, copies: 3, Token);
        for (var place = 0; place < 3; place++)
        {
            Write("more-" + place, "new");
            var bad = _places[place];
            var earlier = bad.Copy();
            Begin(bad, trouble);
            var saved = await vault.SaveAsync(Source, copies: 2, Token);
            if (trouble == "rolled back")
                bad.RollBack(earlier);
            else if (trouble != "emptied")
                saved.Missed.Keys.Should().Equal(NameOf(place));
            await RestoresAsync(vault, saved.Id, Tree(Source));
            var findings = (await vault.CheckAsync(Token)).Findings;
            findings.Select(f => f.Destination).Distinct().Should().Equal(NameOf(place));
            End(bad);
            await vault.SyncAsync(Token);
            (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        }
        (await vault.Invoking(v => v.SaveAsync(Source, copies: 4, Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("4 copies");
    }

    private static void Begin(MemoryDestination place, string trouble)
    {
        switch (trouble)
        {
            case "down":
                place.Failure = new IOException("gone");
                break;
            case "full":
                place.Room = 0;
                break;
            case "slow":
                place.IsSlow = true;
                break;
            case "read-only":
                place.WriteFailure = new UnauthorizedAccessException("read-only");
                break;
            case "emptied":
                place.RollBack([]);
                break;
        }
    }

    private static void End(MemoryDestination place)
    {
        (place.Failure, place.WriteFailure, place.Room, place.IsSlow) = (null, null, null, false);
    }

    private static byte[] Flipped(byte[] good, int at)
    {
        var bad = good.ToArray();
        bad[at] ^= 0x5A;
        return bad;
    }
}
