using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

/// <summary>Each line of the page on data and security names the test that proves it.</summary>
public sealed partial class SecurityPageTests
{
    [Theory]
    [InlineData("What is kept where")]
    [InlineData("Permissions and audit")]
    public void Each_line_names_a_test_that_exists(string heading)
    {
        var rows = Page.Table("docs/security.md", heading);
        rows.Should().HaveCountGreaterThan(3);
        foreach (var row in rows)
        {
            var tests = Test().Matches(row[^1]);
            tests.Count.Should().BePositive("'{0}' names its test", row[0]);
            foreach (Match test in tests)
                Sources(test.Groups[1].Value).Should().Contain(text => text.Contains($" {test.Groups[2].Value}(", StringComparison.Ordinal), "'{0}' is a test", test.Value);
        }
    }

    private static IEnumerable<string> Sources(string type) =>
        Directory.EnumerateFiles(Repository.PathOf("tests"), type + ".cs", SearchOption.AllDirectories).Select(File.ReadAllText);

    [GeneratedRegex(@"(\w+)\.(\w+)")]
    private static partial Regex Test();
}
