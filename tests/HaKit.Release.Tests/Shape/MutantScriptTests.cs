using System.Text.RegularExpressions;

namespace HaKit.Release.Tests.Shape;

/// <summary>The scripts that plant bugs replace text that the source still has. The scripts themselves are run only for the pages of evidence.</summary>
public sealed partial class MutantScriptTests
{
    [Theory]
    [InlineData("mutants.sh")]
    [InlineData("fleet-mutants.sh")]
    public void Every_planted_bug_fits_the_source(string script)
    {
        var mutants = Mutant().Matches(File.ReadAllText(Repository.PathOf("tests", script))).ToArray();
        mutants.Should().HaveCountGreaterThan(1, "a scan that sees nothing would find nothing");
        mutants.Where(static m => !File.ReadAllText(Repository.PathOf(m.Groups["file"].Value.Split('/'))).Contains(m.Groups["text"].Value, StringComparison.Ordinal))
            .Select(static m => m.Value).Should().BeEmpty("the script ends at a bug that does not fit");
    }

    // The file is the last word of a line. The replaced text is the first word of the next line.
    [GeneratedRegex(@"(?<file>src/\S+\.cs) \\\r?\n\s+'(?<text>[^']+)'")]
    private static partial Regex Mutant();
}
