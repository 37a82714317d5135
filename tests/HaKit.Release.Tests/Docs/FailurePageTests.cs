using System.Globalization;
using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

public sealed partial class FailurePageTests
{
    private const string FailurePage = "docs/evidence/failures.md";
    private const int Promises = 6;
    private const int Failures = 39;

    private static readonly HashSet<string> Tests =
        [.. Directory.EnumerateFiles(Repository.PathOf("tests"), "*.cs", SearchOption.AllDirectories).SelectMany(f => TestMethod().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value)];

    [Theory]
    [InlineData("Promises", Promises)]
    [InlineData("Failures", Failures)]
    public void Each_is_told_once_in_order_with_its_tests(string heading, int count)
    {
        var rows = Page.Table(FailurePage, heading);
        rows.Select(r => r[0]).Should().Equal(Enumerable.Range(1, count).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        foreach (var row in rows.Where(r => !r[2].StartsWith("none: ", StringComparison.Ordinal)))
            row[2].Split(", ").Should().NotBeEmpty().And.BeSubsetOf(Tests, "number {0} names its tests", row[0]);
    }

    [Fact]
    public void Failures_of_stored_work_and_data_have_tests()
    {
        foreach (var row in Page.Table(FailurePage, "Stored work and data"))
            row[2].Split(", ").Should().NotBeEmpty().And.BeSubsetOf(Tests, "number {0} names its tests", row[0]);
    }

    [Fact]
    public void Every_test_that_is_named_after_a_promise_or_a_failure_is_on_the_page()
    {
        var page = Page.Text(FailurePage);
        Tests.Where(t => Numbered().IsMatch(t)).Should().HaveCountGreaterThan(Failures).And.OnlyContain(t => page.Contains($"`{t}`"));
    }

    [GeneratedRegex(@"\[(?:Fact|Theory|Property)\b[^\n]*\](?:\s*\[[^\n]*\])*\s*public (?:static )?(?:async )?\w+(?:<\w+>)? (\w+)\(")]
    private static partial Regex TestMethod();

    [GeneratedRegex(@"^(Failure|Promise)s?_\d")]
    private static partial Regex Numbered();
}
