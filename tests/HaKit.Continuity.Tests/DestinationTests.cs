namespace HaKit.Continuity.Tests;

/// <summary>Tests destinations that do not do what they report, and operations over several destinations.</summary>
public sealed class DestinationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vault-places-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Source => Path.Combine(_folder, "source");

    private Vault Make(params (string Name, IVaultDestination Destination)[] places)
    {
        Directory.CreateDirectory(Source);
        File.WriteAllText(Path.Combine(Source, "state"), "kept");
        var options = new VaultOptions { OperationTimeout = TimeSpan.FromSeconds(2) };
        options.Keys["1"] = VaultWork.Key;
        foreach (var (name, destination) in places)
        {
            options.Destinations.Add(new VaultDestinationOptions { Name = name }.Use(destination));
        }
        return Vault.Create("places", options);
    }

    [Theory(Timeout = 60_000)]
    [InlineData('c')]
    [InlineData('s')]
    public async Task A_destination_that_takes_what_it_does_not_keep_is_no_copy(char kind)
    {
        var good = new MemoryDestination();
        await using var vault = Make(("good", good), ("lies", new LyingDestination(kind)));
        var saved = await vault.SaveAsync(Source, copies: 1, Token);
        saved.Destinations.Should().Equal("good");
        saved.Missed["lies"].Should().StartWith($"it does not list '{kind}/").And.EndWith("which it accepted");
        (await vault.Invoking(v => v.SaveAsync(Source, copies: 2, Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("'lies'");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_folder_that_must_not_be_written_is_named_at_once_and_the_other_has_the_snapshot()
    {
        // Root may write into every folder. So a file is put in the place of the folder.
        var place = Path.Combine(_folder, "fixed");
        await File.WriteAllTextAsync(place, "a file", Token);
        await using var vault = Make(("good", new MemoryDestination()), ("fixed", new FolderDestination(place)));
        var saved = await vault.SaveAsync(Source, copies: 1, Token);
        saved.Missed.Keys.Should().Equal("fixed");
    }

    [Fact(Timeout = 60_000)]
    public async Task Temporary_files_of_processes_that_are_gone_are_deleted_and_fresh_ones_stay()
    {
        var place = Path.Combine(_folder, "place");
        Directory.CreateDirectory(Path.Combine(place, "c"));
        foreach (var (name, days) in new[] { ("old.tmp", 2), ("fresh.tmp", 0) })
        {
            var file = Path.Combine(place, "c", name);
            await File.WriteAllTextAsync(file, "half", Token);
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-days));
        }
        await using var vault = Make(("a", new FolderDestination(place)));
        await vault.SaveAsync(Source, cancellationToken: Token);
        Directory.EnumerateFiles(place, "*.tmp", SearchOption.AllDirectories).Select(Path.GetFileName).Should().Equal("fresh.tmp");
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_standby_folder_follows_each_newer_snapshot_and_waits_while_nothing_can_be_read()
    {
        var place = new MemoryDestination();
        await using var vault = Make(("a", place));
        await vault.SaveAsync(Source, cancellationToken: Token);
        var target = Path.Combine(_folder, "standby");
        Directory.CreateDirectory(target);
        await File.WriteAllTextAsync(Path.Combine(target, "stale"), "of an earlier life", Token);

        await using var follow = vault.FollowAsync(target, TimeSpan.FromMilliseconds(20), Token).GetAsyncEnumerator(Token);
        (await follow.MoveNextAsync()).Should().BeTrue();
        follow.Current.Snapshot.Number.Should().Be(1);
        Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName).Should().Equal("state");

        place.Failure = new IOException("gone");
        var next = follow.MoveNextAsync();
        await Task.Delay(100, Token);
        next.IsCompleted.Should().BeFalse();
        place.Failure = null;
        File.WriteAllText(Path.Combine(Source, "state"), "newer");
        await vault.SaveAsync(Source, cancellationToken: Token);
        (await next).Should().BeTrue();
        (await File.ReadAllTextAsync(Path.Combine(target, "state"), Token)).Should().Be("newer");
        Directory.EnumerateDirectories(_folder).Select(Path.GetFileName).Should().BeEquivalentTo("source", "standby");
    }

    [Fact(Timeout = 60_000)]
    public async Task Progress_goes_from_nothing_to_all()
    {
        await using var vault = Make(("a", new MemoryDestination()), ("b", new MemoryDestination()));
        for (var i = 0; i < 20; i++)
        {
            File.WriteAllBytes(Path.Combine(Source, $"f{i}"), new byte[10_000]);
        }
        var told = new Told();
        vault.Progress = told;
        foreach (var run in (Func<Task>[])[() => vault.SaveAsync(Source, 2, Token), () => vault.CheckAsync(Token), () => vault.RestoreAsync("latest", Path.Combine(_folder, "target"), Token)])
        {
            told.Shares.Clear();
            await run();
            told.Shares.Should().HaveCountGreaterThan(5).And.BeInAscendingOrder().And.OnlyContain(s => s >= 0 && s <= 1);
        }
    }

    private sealed class Told : IProgress<double>
    {
        public List<double> Shares { get; } = [];

        public void Report(double value) => Shares.Add(value);
    }

    /// <summary>Accepts objects of one kind and forgets them.</summary>
    private sealed class LyingDestination(char kind) : IVaultDestination
    {
        private readonly MemoryDestination _kept = new();

        public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            name[0] == kind ? new(true) : _kept.PutIfAbsentAsync(name, content, cancellationToken);

        public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => _kept.GetAsync(name, cancellationToken);

        public ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) => _kept.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => _kept.DeleteAsync(name, cancellationToken);
    }
}
