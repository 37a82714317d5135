namespace HaKit.Release.Tests.Shape;

/// <summary>What keeps the code changeable: methods of few branches, a small facade, classes that are whole.</summary>
public sealed class StructureTests
{
    private const int MostBranches = 15;

    /// <summary>The methods that may have more, each with its reason.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
    };

    private static IEnumerable<string> Sources => Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}") && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}"));

    [Fact]
    public void No_method_has_more_branches_than_can_be_held_in_mind_but_those_with_a_reason()
    {
        var methods = Sources.SelectMany(file => Branches.In(file, File.ReadAllText(file))).ToArray();
        methods.Should().HaveCountGreaterThan(1000, "a count that sees nothing would allow anything");
        methods.Where(m => m.Count > MostBranches && !Allowed.ContainsKey(m.Method)).Select(m => $"{m.Method}: {m.Count}").Should().BeEmpty();
        Allowed.Keys.Should().BeSubsetOf(methods.Where(m => m.Count > MostBranches).Select(m => m.Method), "a method that has become simple needs no permission");
    }

    [Fact]
    public void The_facade_is_one_file_of_at_most_300_lines()
    {
        File.ReadAllLines(Repository.PathOf("src", "HaKit", "EndpointPool.cs")).Length.Should().BeLessThanOrEqualTo(300);
        Directory.EnumerateFiles(Repository.PathOf("src", "HaKit"), "EndpointPool.*.cs").Should().BeEmpty();
    }

    [Fact]
    public void Branches_are_counted_where_they_are()
    {
        const string text = """
            class A
            {
                int M(int x, string? s)
                {
                    if (x > 0 && x < 5 || s is null) return 1;
                    foreach (var c in s ?? "") F();
                    return x switch { 1 => 2, 2 => 3, _ => x > 9 ? 4 : 5 };

                    void F() { while (x > 0) x--; }
                }
            }
            """;
        Branches.In("a.cs", text).Should().BeEquivalentTo([("A.M", 8), ("A.F", 1)]);
    }
}
