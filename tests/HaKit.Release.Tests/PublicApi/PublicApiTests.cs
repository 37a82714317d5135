using System.Reflection;
using System.Xml.Linq;

namespace HaKit.Release.Tests;

public sealed class PublicApiTests
{
    public static TheoryData<string> Packages => [.. Repository.Libraries];

    /// <summary>A change is approved by one run with HAKIT_APPROVE=1, and by a review of the difference.</summary>
    [Theory]
    [MemberData(nameof(Packages))]
    public void The_public_surface_is_the_one_that_was_approved(string package)
    {
        var file = Repository.PathOf("tests", "HaKit.Release.Tests", "PublicApi", "Approved", package + ".txt");
        var now = Surface.Of(Assembly.Load(package));
        if (Environment.GetEnvironmentVariable("HAKIT_APPROVE") == "1")
            File.WriteAllText(file, now);
        var approved = File.Exists(file) ? File.ReadAllText(file) : "";
        Difference(approved, now).Should().BeEmpty("a changed surface is a decision: run once with HAKIT_APPROVE=1 and read the difference of {0}", Path.GetFileName(file));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_public_type_says_what_it_is_for(string package)
    {
        var assembly = Assembly.Load(package);
        var documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(m => m.Element("summary") is { } summary && summary.Value.Trim().Length > 10 || m.Element("inheritdoc") is not null)
            .Select(m => m.Attribute("name")!.Value).ToHashSet();
        assembly.GetExportedTypes().Select(t => "T:" + t.FullName!.Replace('+', '.')).Where(t => !documented.Contains(t)).Should().BeEmpty();
    }

    [Fact]
    public void A_surface_that_lost_a_member_is_told_apart()
    {
        Difference("class A\n    int X { get; }\n", "class A\n").Should().Equal("class A: -     int X { get; }");
    }

    // Gets the lines that were added and removed, each with the type it belongs to.
    private static List<string> Difference(string before, string after)
    {
        var (old, now) = (Lines(before), Lines(after));
        return [.. old.Except(now).Select(l => Told(l, '-')), .. now.Except(old).Select(l => Told(l, '+'))];

        static string Told((string Type, string Line) l, char sign) => l.Type == l.Line ? $"{sign} {l.Line}" : $"{l.Type}: {sign} {l.Line}";

        static List<(string Type, string Line)> Lines(string text)
        {
            var type = "";
            var lines = new List<(string, string)>();
            foreach (var line in text.Split('\n').Where(l => l.Length > 0))
                lines.Add((type = line[0] == ' ' ? type : line, line));
            return lines;
        }
    }
}
