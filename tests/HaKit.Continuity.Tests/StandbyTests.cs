namespace HaKit.Continuity.Tests;

/// <summary>A standby folder replaces the content of its target, so the target must be apart from every destination.</summary>
public sealed class StandbyTests : VaultTestBase
{
    private string Outer => Path.Combine(Root, "outer");

    private string Place => Path.Combine(Outer, "place");

    [Theory(Timeout = Limit)]
    [InlineData("outer", false)]
    [InlineData("outer/place", false)]
    [InlineData("outer/place/c", false)]
    [InlineData("outer/place/standby", false)]
    [InlineData("link", false)]
    [InlineData("link/place", false)]
    [InlineData("link/place/c", false)]
    [InlineData("link/place/new/standby", false)]
    [InlineData("outer", true)]
    [InlineData("outer/place", true)]
    [InlineData("outer/place/standby", true)]
    public async Task A_standby_folder_that_touches_a_destination_is_refused_and_the_vault_stays_whole(string target, bool isGivenInCode)
    {
        WriteSome();
        Directory.CreateDirectory(Outer);
        File.CreateSymbolicLink(Path.Combine(Root, "link"), Outer);
        await using var vault = Make([], configure: o => o.Destinations.Add(isGivenInCode
            ? new VaultDestinationOptions { Name = "disk" }.Use(new FolderDestination(Place))
            : new VaultDestinationOptions { Name = "disk", Folder = Place }));
        await vault.SaveAsync(Source, cancellationToken: Token);
        var before = Tree(Outer);

        await using var follow = vault.FollowAsync(Path.Combine(Root, target), TimeSpan.FromMinutes(1), Token).GetAsyncEnumerator(Token);
        (await follow.Awaiting(f => f.MoveNextAsync().AsTask()).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("'disk'").And.Contain(target);

        Tree(Outer).Should().Equal(before);
        await RestoresAsync(vault, "latest", Tree(Source));
    }

    [Fact(Timeout = Limit)]
    public async Task A_restore_and_a_save_refuse_a_destination_that_is_reached_by_a_link_or_was_given_in_code()
    {
        WriteSome();
        Directory.CreateDirectory(Outer);
        File.CreateSymbolicLink(Path.Combine(Root, "link"), Outer);
        await using var vault = Make([("disk", new FolderDestination(Place))]);
        await vault.SaveAsync(Source, cancellationToken: Token);
        foreach (var target in (string[])["outer/place/new", "link/place/new"])
            (await vault.Invoking(v => v.RestoreAsync("latest", Path.Combine(Root, target), Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("'disk'");
        foreach (var source in (string[])["outer", "link", "link/place"])
            (await vault.Invoking(v => v.SaveAsync(Path.Combine(Root, source), cancellationToken: Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("'disk'");
    }
}
