using System.Text.Json.Nodes;

namespace HaKit.Continuity.Tests;

/// <summary>Tests the state file of a vault: saves at the same time, and a file that cannot be written.</summary>
public sealed class StateFileTests : VaultTestBase
{
    private string State => Path.Combine(Root, "state", "vault.json");

    private long LastNumber => (long)JsonNode.Parse(File.ReadAllBytes(State))!["lastNumber"]!;

    [Fact(Timeout = Limit)]
    public async Task A_slow_save_does_not_write_its_older_number_over_a_newer_number()
    {
        WriteSome();
        var place = new MemoryDestination();
        await using var vault = Make([("a", place)], configure: o => (o.StateFile, o.OperationTimeout) = (State, TimeSpan.FromMinutes(1)));
        using ManualResetEventSlim isStopped = new(), mayGoOn = new();
        var stops = 1;
        place.Trouble = o =>
        {
            // The first save has written its manifest, and deletes its announcement.
            if (!o.StartsWith("delete i/", StringComparison.Ordinal) || Interlocked.Exchange(ref stops, 0) == 0)
                return null;
            isStopped.Set();
            mayGoOn.Wait(Token);
            return null;
        };
        var slow = Task.Run(() => vault.SaveAsync(Source, cancellationToken: Token), Token);
        isStopped.Wait(Token);
        Write("new", "new");
        var newer = await vault.SaveAsync(Source, cancellationToken: Token);
        mayGoOn.Set();

        (await slow).Number.Should().Be(1);
        newer.Number.Should().Be(2);
        LastNumber.Should().Be(2);
    }

    [Fact(Timeout = Limit)]
    public async Task Saves_at_the_same_time_share_the_state_file()
    {
        WriteSome();
        MemoryDestination[] places = [new(), new()];
        // The second vault has the same destinations and the same state file, as the command line beside an application has.
        await using var one = Make([("a", places[0]), ("b", places[1])], configure: o => o.StateFile = State);
        await one.SaveAsync(Source, copies: 2, Token);
        await using var two = Make([("a", places[0]), ("b", places[1])], configure: o => o.StateFile = State);
        for (var round = 0; round < 10; round++)
        {
            Write("state", $"round {round}");
            var saved = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => (i % 2 == 0 ? one : two).SaveAsync(Source, copies: 2, Token), Token)));
            LastNumber.Should().Be(saved.Max(static s => s.Number));
        }
        Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(State)!).Should().Equal(State);
    }

    [Fact(Timeout = Limit)]
    public async Task A_save_with_too_few_copies_and_no_writable_state_file_names_both()
    {
        WriteSome();
        MemoryDestination[] places = [new(), new()];
        await using var vault = Make([("first", places[0]), ("second", places[1])], configure: o => o.StateFile = State);
        Directory.CreateDirectory(State);
        places[1].Trouble = static o => o.StartsWith("put s/", StringComparison.Ordinal) ? new UnauthorizedAccessException("disk full") : null;

        (await vault.Invoking(v => v.SaveAsync(Source, copies: 2, Token)).Should().ThrowAsync<VaultException>()).Which.Message
            .Should().StartWith("Snapshot 1 is on 1 destination ('first'), and 2 must have it.").And.Contain("'second': disk full").And.Contain($"The state file '{State}' cannot be written");
        Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(State)!).Should().Equal(State);
    }

    [Theory(Timeout = Limit)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"vault\":null,\"lastNumber\":3}")]
    [InlineData("{\"vault\":\"v\",\"lastNumber\":-3,\"lastId\":\"x\"}")]
    [InlineData("{\"vault\":\"v\",\"lastNumber\":9223372036854775807}")]
    [InlineData("{\"lastNumber\":1e400}")]
    [InlineData("half")]
    [InlineData("zeros")]
    public async Task A_state_file_with_a_damaged_content_ends_a_save_by_name_or_does_not_matter(string content)
    {
        WriteSome();
        await using var vault = Make([("a", new MemoryDestination())], configure: o => o.StateFile = State);
        var first = await vault.SaveAsync(Source, cancellationToken: Token);
        var good = File.ReadAllBytes(State);
        File.WriteAllBytes(State, content switch
        {
            "half" => good[..(good.Length / 2)],
            "zeros" => new byte[good.Length],
            _ => System.Text.Encoding.UTF8.GetBytes(content),
        });
        Write("new", "new");
        try
        {
            (await vault.SaveAsync(Source, cancellationToken: Token)).Number.Should().BeGreaterThan(first.Number);
        }
        catch (VaultException e)
        {
            e.Message.Should().Contain(State).And.Contain("Delete it");
        }
        File.Delete(State);
        (await vault.SaveAsync(Source, cancellationToken: Token)).Number.Should().BeGreaterThan(first.Number);
        (await vault.ListAsync(Token)).Should().OnlyHaveUniqueItems(static s => s.Number);
    }
}
