using HaKit.Failover;

namespace HaKit.Tests.Failover;

public sealed class ObjectCacheTests
{
    private static readonly int Places = 1 + Environment.ProcessorCount * 4;
    private int _made;

    private ObjectCache<object> Cache() => new(() =>
    {
        _made++;
        return new object();
    });

    [Fact]
    public void What_was_returned_is_rented_again_and_never_to_two()
    {
        var cache = Cache();
        var items = Enumerable.Range(0, Places).Select(_ => cache.Rent()).ToArray();
        _made.Should().Be(Places);
        foreach (var item in items)
            cache.Return(item);

        var again = Enumerable.Range(0, Places).Select(_ => cache.Rent()).ToArray();

        again.Should().OnlyHaveUniqueItems().And.BeEquivalentTo(items, o => o.WithoutStrictOrdering());
        _made.Should().Be(Places, "nothing had to be made");
        items.Should().NotContain(cache.Rent(), "all of them are out");
    }

    [Fact]
    public void What_does_not_fit_is_let_go()
    {
        var cache = Cache();
        foreach (var item in Enumerable.Range(0, Places + 3).Select(_ => cache.Rent()).ToArray())
            cache.Return(item);
        _made = 0;

        for (var i = 0; i < Places + 3; i++)
            cache.Rent();

        _made.Should().Be(3);
    }
}
