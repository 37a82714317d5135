namespace HaKit.Continuity.Tests;

/// <summary>Tests which check objects are written again, and that no check object is written into the destination of another vault.</summary>
public sealed class CheckObjectTests : VaultTestBase
{
    private readonly MemoryDestination _place = new();

    public static TheoryData<string, bool> Damaged => new MatrixTheoryData<string, bool>(["k/check.1", "k/check.2"], [false, true]);

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Damaged))]
    public async Task One_damaged_check_object_of_several_is_written_again(string damaged, bool isSync)
    {
        WriteSome();
        await using (var first = Make([("a", _place)]))
            await first.SaveAsync(Source, cancellationToken: Token);
        await using var both = Make([("a", _place)], configure: static o => o.Keys["2"] = Key2);
        await both.SaveAsync(Source, cancellationToken: Token); // as after an interrupted rekey, both keys have a check object
        _place.Objects[damaged] = [1, 2, 3];
        (await both.CheckAsync(Token)).Findings.Should().ContainSingle().Which.ObjectName.Should().Be(damaged);

        if (isSync)
            await both.SyncAsync(Token);
        else
            await both.SaveAsync(Source, cancellationToken: Token);

        (await both.CheckAsync(Token)).Findings.Should().BeEmpty();
        _place.Objects.Keys.Should().Contain(["k/check.1", "k/check.2"], "objects are sealed with both keys");
    }

    [Theory(Timeout = Limit)]
    [InlineData("1", 's')]
    [InlineData("5", 's')]
    [InlineData("1", 'c')]
    [InlineData("5", 'c')]
    public async Task A_destination_of_another_vault_that_lost_its_check_object_takes_no_part(string number, char kept)
    {
        WriteSome();
        var foreign = new MemoryDestination();
        void Configure(VaultOptions options)
        {
            options.Keys.Clear();
            options.Keys[number] = Key2;
        }
        await using (var other = Make([("x", foreign)], configure: Configure))
            await other.SaveAsync(Source, cancellationToken: Token);
        foreach (var name in foreign.Copy().Keys.Where(n => n[0] == 'k' || kept == 'c' && n[0] == 's'))
            foreign.Objects.TryRemove(name, out _);
        foreign.Objects["i/00112233445566778899aabbccddeeff." + number] = [1, 2, 3]; // an announcement of the other vault
        await using (var alone = Make([("a", _place)]))
            await alone.SaveAsync(Source, cancellationToken: Token);
        var before = foreign.Copy();

        await using var vault = Make([("a", _place), ("b", foreign)]);
        Write("new", "new");
        var saved = await vault.SaveAsync(Source, copies: 1, Token);
        await vault.SyncAsync(Token);

        saved.Missed.Keys.Should().Equal("b");
        foreign.Objects.Should().BeEquivalentTo(before);
        (await vault.CheckAsync(Token)).Findings.Should().Contain(static f => f.Destination == "b" && f.Problem == VaultProblem.Unreachable);
    }

    [Fact(Timeout = Limit)]
    public async Task A_destination_whose_check_object_and_snapshots_are_all_damaged_or_lost_is_repaired_because_it_shares_objects()
    {
        WriteSome();
        var second = new MemoryDestination();
        await using var vault = Make([("a", _place), ("b", second)]);
        await vault.SaveAsync(Source, copies: 2, Token);
        second.Objects.TryRemove("k/check.1", out _);
        foreach (var name in second.Copy().Keys.Where(static n => n[0] == 's'))
            second.Objects[name] = [1, 2, 3];

        await vault.SyncAsync(Token);

        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }
}
