using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using HaKit.Dialects;
using HaKit.Http;
using HaKit.Tests.Architecture;
using HaKit.Tests.Faults;

namespace HaKit.Tests.Dialects;

/// <summary>Tests what every dialect guarantees to the code that uses it, for each value of <see cref="WireDialect"/>.</summary>
public sealed class DialectContractTests
{
    public static TheoryData<WireDialect, string> Entrances
    {
        get
        {
            var all = new TheoryData<WireDialect, string>();
            foreach (var dialect in Enum.GetValues<WireDialect>())
            {
                foreach (var folder in new[] { "", "/v1", "/v1beta", "/v1beta/openai", "/openai/v1", "/api", "/openai/deployments/m" })
                    all.Add(dialect, folder);
            }
            return all;
        }
    }

    public static TheoryData<WireDialect> All => [.. Enum.GetValues<WireDialect>()];

    [Theory]
    [MemberData(nameof(Entrances))]
    public void The_cheapest_completion_goes_to_a_path_that_creates_answers_and_bounds_them(WireDialect declared, string folder)
    {
        var dialect = DialectTable.Get(declared);
        var request = dialect.Completion(folder, "m/1", maxTokens: 7);
        foreach (var asked in new[] { request, request.OtherLimit }.OfType<CompletionRequest>())
        {
            asked.Path.Should().StartWith("/");
            DialectTable.PathOf(declared, folder + asked.Path).Should().NotBeNull(asked.Path);
            using var body = JsonDocument.Parse(asked.Body);
            Numbers(body.RootElement).Should().Equal(7);
            Texts(body.RootElement).Should().Contain(CompletionRequest.Prompt);
            (asked.Path + string.Join(' ', Texts(body.RootElement))).Should().ContainAny("m/1", "m%2F1");
        }
    }

    [Theory]
    [MemberData(nameof(Entrances))]
    public void The_list_of_models_is_asked_at_a_path_below_the_address(WireDialect declared, string folder) =>
        DialectTable.Get(declared).ModelsPath(folder).Should().StartWith("/").And.NotContain("//");

    [Theory]
    [MemberData(nameof(All))]
    public void Usage_is_read_where_the_dialect_says_it_is(WireDialect declared)
    {
        var names = DialectTable.Get(declared).Usage;
        var counts = $"\"{names.Input}\":11,\"{names.Output}\":22";
        if (names.Details is { } details)
            counts += $",\"{details}\":{{\"{names.Cached}\":5}}";
        else if (names.Cached is { } cached)
            counts += $",\"{cached}\":5";
        var json = Encoding.UTF8.GetBytes(names.Container.Length == 0 ? $$$"""{"done":true,"text":"{",{{{counts}}}}""" : "{\"text\":\"{\",\"" + names.Container + "\":{" + counts + "}}");

        foreach (var at in new[] { JsonOutline.Read(json).Usage!.Value, UsageWords.FindObject(json) })
        {
            JsonOutline.TryReadUsage(json.AsSpan(at), out var input, out var output, out var held).Should().BeTrue();
            (input, output, held).Should().Be((names.Written is null ? 11 : 11 + 5, 22, names.Cached is null ? null : 5), "the input is the whole prompt, what the cache held included");
        }
        CompletionAnswer.IsAnswer(json).Should().BeTrue("usage shows that it took generating");
    }

    [Theory]
    [InlineData("""{"usage":null,"eval_count":3}""")]
    [InlineData("""{"text":"the eval_count is 3"}""")]
    [InlineData("""{"choices":[]}""")]
    public void Where_no_usage_is_told_none_is_read(string json) =>
        (UsageWords.FindObject(Encoding.UTF8.GetBytes(json)) is var at && at >= 0 && JsonOutline.TryReadUsage(Encoding.UTF8.GetBytes(json).AsSpan(at), out _, out _)).Should().BeFalse();

    [Theory]
    [MemberData(nameof(All))]
    public void Limits_are_read_from_the_headers_that_the_dialect_names(WireDialect declared)
    {
        var names = DialectTable.Get(declared).RateLimits;
        foreach (var (window, read) in new (RateLimitWindowNames?, Func<RateLimitHeaders, RateLimitWindow>)[]
        {
            (names.Requests, static h => h.Requests), (names.Tokens, static h => h.Tokens), (names.InputTokens, static h => h.InputTokens), (names.OutputTokens, static h => h.OutputTokens),
        })
        {
            if (window is null)
                continue;
            var headers = Fixture.HeadersOf([(window.Limit, "100"), (window.Remaining, "40"), (window.Reset, "30")]);
            read(RateLimitHeaders.Read(headers, declared, Fixture.Now)).Should().Be(new RateLimitWindow(100, 40, TimeSpan.FromSeconds(30)), window.Limit);
        }
    }

    [Fact]
    public void Every_public_member_of_a_dialect_is_asked_by_some_room()
    {
        var rooms = string.Join('\n', Directory.EnumerateFiles(ArchitectureTests.Source, "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.EndsWith("Dialect.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        var members = typeof(Dialect).GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(static m => m is PropertyInfo or MethodInfo { IsSpecialName: false }).Select(static m => m.Name).ToArray();
        members.Should().HaveCountGreaterThan(5, "a scan that sees nothing would hold anything");
        members.Where(name => !Regex.IsMatch(rooms, $@"\.{name}\b")).Should().BeEmpty();
    }

    private static IEnumerable<int> Numbers(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => [element.GetInt32()],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static p => Numbers(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Numbers),
        _ => [],
    };

    private static IEnumerable<string> Texts(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static p => Texts(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Texts),
        _ => [],
    };
}
