using System.Text.RegularExpressions;

namespace HaKit.Release.Tests.Shape;

/// <summary>Sentences name their subject: an endpoint, a call or a pool is never "somebody". Readers who translate in their head depend on it.</summary>
public sealed partial class WordsTests
{
    [Fact]
    public void Sources_and_pages_name_their_subjects()
    {
        var files = Repository.Files("src", "*.cs").Concat(Repository.Files("docs", "*.md")).ToArray();
        files.Length.Should().BeGreaterThan(300, "the test has to read something");

        files.SelectMany(file => File.ReadLines(file).Select((line, i) => (Line: line, At: $"{Path.GetFileName(file)}:{i + 1}")))
            .Where(l => Vague().IsMatch(Persons().Replace(l.Line, "")))
            .Select(l => $"{l.At}: {l.Line.Trim()}")
            .Should().BeEmpty("these words are for people, not for endpoints and calls");
    }

    [GeneratedRegex(@"\b(who|whoever|whom|somebody|nobody|anybody|everybody)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Vague();

    [GeneratedRegex(@"\b(operator|operators|person|people|user|users|reader|readers|developers|authors|newcomer|newcomers) who\b", RegexOptions.IgnoreCase)]
    private static partial Regex Persons();
}
