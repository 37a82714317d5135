namespace HaKit.Release.Tests.Shape;

/// <summary>What keeps the code changeable: methods of few branches, a small facade, classes that are whole.</summary>
public sealed class StructureTests
{
    private const int MostBranches = 15;

    /// <summary>The methods that may have more, each with its reason.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["ExceptionFaults.ClassifyNested"] = "a flat table: one line for each kind of exception",
        ["EventText.DescribeParts"] = "a flat table: one line for each event",
        ["ErrorReader.ReadRootMember"] = "a flat table of member names, read in one pass",
        ["JsonOutline.Read"] = "a parser on the path of each answer",
        ["StreamedAnswer.WaitAsync"] = "one wait with all that may end it, which must be looked at together",
        ["HttpAnswer.JudgeAsync"] = "one answer is judged by its status, its type and its body in turn",
        ["HttpAnswer.JsonAsync"] = "one answer is judged by its status, its type and its body in turn",
        ["ProfileHeaders.With"] = "a flat table: one line for each header",
        ["VaultSettings.Problems"] = "a flat table: one line for each setting",
        ["FactWriter.AddChange"] = "a flat table: one line for each kind of fact that a change makes",
        ["SseEvents.TryTakeValue"] = "a parser on the path of each event",
        ["StreamPieces.HasContent"] = "a parser on the path of each event",
        ["Dialect.Classify"] = "a flat table: what a status and its words mean, in the order in which they are asked",
        ["HealthReducer.Next"] = "a flat table: one line for each source of evidence",
        ["HealthReducer.ProbeMiss"] = "what makes a missed beat count for nothing, one line for each reason",
    };

    [Fact]
    public void No_method_has_more_branches_than_can_be_held_in_mind_but_those_with_a_reason()
    {
        var methods = SourceFiles.Roots.SelectMany(Branches.In).ToArray();
        methods.Should().HaveCountGreaterThan(1000, "a count that sees nothing would allow anything");
        var many = methods.Where(static m => m.Count > MostBranches).ToArray();
        many.Where(static m => !Allowed.ContainsKey(m.Method)).Select(static m => $"{m.Method}: {m.Count}").Should().BeEmpty();
        Allowed.Keys.Except(many.Select(static m => m.Method)).Should().BeEmpty("an exception that nothing needs is taken from the list");
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
        Branches.In(SourceFiles.Parse(text)).Should().BeEquivalentTo([("A.M", 8), ("A.F", 1)]);
    }
}
