using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;

namespace HaKit.AspNetCore.Tests;

public sealed partial class PageTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_needs_nothing_from_anywhere_else_and_the_browser_is_told_so()
    {
        await using var site = await Site.StartAsync();
        var files = typeof(EndpointPoolPagesOptions).Assembly.GetManifestResourceNames().Where(static n => !n.EndsWith(".html", StringComparison.Ordinal)).Select(static n => n.Replace("dashboard/", "/ha/", StringComparison.Ordinal)).ToArray();
        files.Should().Contain(["/ha/dashboard.css", "/ha/dashboard.js", "/ha/rows.js"]);
        foreach (var path in (string[])["/ha", .. files])
        {
            using var response = await site.SendAsync(HttpMethod.Get, path);
            response.Headers.GetValues("Content-Security-Policy").Single().Should().Contain("default-src 'none'").And.NotContain("unsafe").And.NotContain("http");
            var text = await response.Content.ReadAsStringAsync(Ct);
            Foreign().Matches(text).Select(m => m.Value).Should().BeEmpty();
            text.Should().NotContain("innerHTML", "what is shown is data, never markup").And.NotContain("insertAdjacentHTML").And.NotContain("document.write").And.NotContain("eval(");
            text.Should().NotMatchRegex("(?i)<[a-z][^>]*\\s(?:on[a-z]+|style)=", "the policy forbids what is written into the markup");
        }
    }

    [Theory]
    [InlineData("/ha", "/ha")]
    [InlineData("/ha", "/ha/")]
    [InlineData("/deep/er", "/deep/er")]
    public async Task What_belongs_to_the_page_is_found_beneath_it_wherever_it_is(string prefix, string path)
    {
        await using var site = await Site.StartAsync(map: a => a.MapHaEndpointPools(prefix));
        (await site.Http.GetStringAsync(path, Ct)).Should().Contain($"<base href=\"{prefix}/\">");
    }

    // Names of XML vocabularies are no addresses.
    [GeneratedRegex(@"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]{2,}[^\s""')]*|@import|url\(", RegexOptions.IgnoreCase)]
    private static partial Regex Foreign();
}
