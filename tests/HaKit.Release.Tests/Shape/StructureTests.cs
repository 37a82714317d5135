using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HaKit.Release.Tests.Shape;

/// <summary>Checks the structure of the code: methods with few branches, a small facade, classes that are not split into parts.</summary>
public sealed class StructureTests
{
    private const int MostBranches = 15;
    private const int MostLines = 350;

    /// <summary>The files that may have more lines, each with its reason.</summary>
    private static readonly Dictionary<string, string> LongFiles = new()
    {
        ["Heartbeat.cs"] = "the loop of the heartbeats: its timers, the probes under way and their results share one lock",
        ["HealthTracker.cs"] = "the one lock of the decisions, and all that happens under it",
        ["Lease.cs"] = "one attempt: its properties are the members of one struct that has one reset point",
        ["StreamedAnswer.cs"] = "one reader: opening, reading, waiting, cut and disposal change the same state",
    };

    /// <summary>The types that may be partial without generated code, each with its reason.</summary>
    private static readonly Dictionary<string, string> PartialTypes = new()
    {
        ["BatchRun"] = "one run: its loop and its calls share the state that one lock guards",
        ["FakeFaults"] = "holds one nested class for each provider, and each of them has a file",
    };

    /// <summary>The methods that may have more, each with its reason.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["ExceptionFaults.ClassifyNested"] = "a flat table: one line for each kind of exception",
        ["EventText.DescribeParts"] = "a flat table: one line for each event",
        ["ErrorReader.ReadRootMember"] = "a flat table of member names, read in one pass",
        ["JsonOutline.Read"] = "a parser on the path of each answer",
        ["HttpAnswer.ExamineAsync"] = "one answer is judged by its status, its type and its body in turn",
        ["HttpAnswer.ReadJsonAsync"] = "one answer is judged by its status, its type and its body in turn",
        ["ProfileHeaders.With"] = "a flat table: one line for each header",
        ["VaultSettings.ProblemsOf"] = "a flat table: one line for each setting",
        ["FactWriter.AddChange"] = "a flat table: one line for each kind of fact that a change makes",
        ["SseEvents.TryTakeValue"] = "a parser on the path of each event",
        ["StreamPieces.FindContent"] = "a parser on the path of each event",
        ["Dialect.Classify"] = "a flat table: what a status and its words mean, in the order in which they are asked",
        ["HealthReducer.Apply"] = "a flat table: one line for each source of evidence",
        ["HealthReducer.ApplyProbeMiss"] = "what makes a missed beat count for nothing, one line for each reason",
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
    public void Files_are_short_but_those_with_a_reason()
    {
        var files = SourceFiles.Paths.Select(static path => (Name: Path.GetFileName(path), Lines: File.ReadAllLines(path).Length)).ToArray();
        files.Should().HaveCountGreaterThan(300, "a count that sees nothing would allow anything");
        var many = files.Where(static f => f.Lines > MostLines).ToArray();
        many.Where(static f => !LongFiles.ContainsKey(f.Name)).Select(static f => $"{f.Name}: {f.Lines}").Should().BeEmpty();
        LongFiles.Keys.Except(many.Select(static f => f.Name)).Should().BeEmpty("an exception that nothing needs is taken from the list");
    }

    [Fact]
    public void Types_are_partial_for_generated_code_only()
    {
        var types = SourceFiles.Roots.SelectMany(static root => root.DescendantNodes().OfType<TypeDeclarationSyntax>()).Where(IsPartial).GroupBy(static type => type.Identifier.Text).ToArray();
        types.Should().HaveCountGreaterThan(10);
        var written = types.Where(static parts => parts.Count() > 1 || !parts.Any(IsCompletedByGenerator)).Select(static parts => parts.Key).ToArray();
        written.Except(PartialTypes.Keys).Should().BeEmpty("partial hides size: a type is split into owners of their own state");
        PartialTypes.Keys.Except(written).Should().BeEmpty("an exception that nothing needs is taken from the list");
    }

    [Fact]
    public void A_partial_type_is_for_generated_code_if_it_has_a_partial_member_or_is_a_context_of_the_serializer()
    {
        IsCompleted("partial class A { [X] private static partial void M(); }").Should().BeTrue();
        IsCompleted("partial class A { static partial class B { static partial int M(); } }").Should().BeTrue();
        IsCompleted("[JsonSerializable(typeof(int))] partial class A : JsonSerializerContext;").Should().BeTrue();
        IsCompleted("partial class A { void M() { } }").Should().BeFalse();

        static bool IsCompleted(string text) => IsCompletedByGenerator(SourceFiles.Parse(text).DescendantNodes().OfType<TypeDeclarationSyntax>().First());
    }

    private static bool IsPartial(MemberDeclarationSyntax member) => member.Modifiers.Any(SyntaxKind.PartialKeyword);

    private static bool IsCompletedByGenerator(TypeDeclarationSyntax type) =>
        type.DescendantNodes().Any(static node => node is MethodDeclarationSyntax or PropertyDeclarationSyntax && IsPartial((MemberDeclarationSyntax)node))
        || type.BaseList?.Types.Any(static t => t.ToString().EndsWith("JsonSerializerContext", StringComparison.Ordinal)) == true;

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
