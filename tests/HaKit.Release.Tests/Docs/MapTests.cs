using System.Reflection;
using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

/// <summary>The maps for contributors name only existing things, and every existing thing is on a map.</summary>
public sealed partial class MapTests
{
    // The changes whose steps are in CONTRIBUTING.md.
    private static readonly string[] Recipes = ["Add a provider dialect", "Add a selector preset", "Add a probe"];

    [Fact]
    public void Every_variable_is_listed_and_every_listed_variable_is_read()
    {
        var sources = ((string[])["src", "tests", "bench", ".ci"]).Where(static folder => Directory.Exists(Repository.PathOf(folder)))
            .SelectMany(static folder => Repository.Files(folder, "*"))
            .Where(static file => Path.GetExtension(file) is ".cs" or ".sh" or ".py" or ".props" or ".targets" or "" && Path.GetFileName(file) != "MapTests.cs");
        var read = sources.SelectMany(static file => VariablesIn(File.ReadAllText(file))).ToHashSet();
        var listed = VariablesIn(string.Join('\n', Page.Section("CONTRIBUTING.md", "Variables"))).ToHashSet();

        read.Should().HaveCountGreaterThan(20, "a scan that sees nothing would list anything");
        read.Except(listed).Should().BeEmpty("a variable that is not listed cannot be found");
        listed.Except(read).Should().BeEmpty("nothing reads these");
    }

    [Fact]
    public void The_places_of_ten_usual_changes_exist()
    {
        var rows = Page.Section("docs/architecture.md", "Where to change what").Where(static line => line.StartsWith('|')).Skip(2).ToArray();
        rows.Should().HaveCount(10);
        foreach (var cells in rows.Select(static row => row.Split('|')))
            cells[3].Should().Contain("Tests", "a change needs tests: {0}", cells[1]);
        var sources = Repository.Files("src", "*.cs").ToArray();
        var texts = sources.Select(File.ReadAllText).ToArray();
        var text = string.Join('\n', texts);
        var declarations = texts.SelectMany(static source => Declaration().Matches(source).Select(type => (Type: type.Groups[1].Value, Source: source)))
            .ToLookup(static declared => declared.Type, static declared => declared.Source);
        var files = sources.Concat(Repository.Files("tests", "*.cs"))
            .Select(static file => "/" + Path.GetRelativePath(Repository.Root, file).Replace(Path.DirectorySeparatorChar, '/')).ToArray();
        Place().Matches(string.Join('\n', Chapter("docs/architecture.md", "Where to change what").Concat(Recipes.SelectMany(static recipe => Page.Section("CONTRIBUTING.md", recipe)))))
            .Select(static place => place.Groups[1].Value).Where(name => !Exists(name, files, text, declarations)).Should().BeEmpty();
    }

    [Fact]
    public void Every_package_has_its_row() =>
        Page.Table("docs/index.md", "Packages").Select(static row => row[0]).Should().BeEquivalentTo(Repository.Packages);

    [Fact]
    public void The_recipe_of_a_dialect_names_all_that_a_dialect_says()
    {
        var recipe = string.Join('\n', Page.Section("CONTRIBUTING.md", "Add a provider dialect"));
        var dialects = ((string[])["HaKit.Dialects.Dialect", "HaKit.Dialects.OpenAIDialect"]).Select(static name => typeof(EndpointPool).Assembly.GetType(name, throwOnError: true)!);
        var members = dialects.SelectMany(static dialect => dialect.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(static method => method is { IsVirtual: true, IsFinal: false }).Select(static method => method.Name.Replace("get_", "", StringComparison.Ordinal)).Distinct().ToArray();
        members.Should().HaveCountGreaterThan(10, "a scan that sees nothing would ask for nothing");
        members.Where(member => !recipe.Contains($"`{member}`", StringComparison.Ordinal)).Should().BeEmpty();
    }

    // The lines under a heading of the second level, with the sections below it.
    private static IEnumerable<string> Chapter(string page, string heading) =>
        Page.Text(page).Split('\n').SkipWhile(line => line != "## " + heading).Skip(1).TakeWhile(static line => !line.StartsWith("## ", StringComparison.Ordinal));

    // A file, a class by the name of its file, a folder, a member of a class, or names in the sources.
    private static bool Exists(string name, string[] files, string sources, ILookup<string, string> declarations)
    {
        if (name.Contains('/', StringComparison.Ordinal) && Directory.Exists(Repository.PathOf(name.Split('/'))))
            return true;
        if (files.Any(file => file.EndsWith($"/{name}", StringComparison.Ordinal) || file.EndsWith($"/{name}.cs", StringComparison.Ordinal) || file.Contains($"/{name}/", StringComparison.Ordinal)))
            return true;
        if (name.Contains('/', StringComparison.Ordinal))
            return false;
        var parts = name.Split('.', ':');
        // The old name of a renamed member may still be a word elsewhere in the sources.
        if (name.Contains('.', StringComparison.Ordinal) && declarations.Contains(parts[0]))
            return declarations[parts[0]].Any(source => parts.All(part => IsIn(source, part)));
        if (!parts[0].EndsWith("Tests", StringComparison.Ordinal))
            return parts.All(part => IsIn(sources, part));
        var test = files.FirstOrDefault(file => file.EndsWith($"/{parts[0]}.cs", StringComparison.Ordinal));
        if (test is null)
            return false;
        var members = File.ReadAllText(Repository.PathOf(test.TrimStart('/').Split('/')));
        return parts.All(part => IsIn(members, part));
    }

    private static bool IsIn(string text, string word) => Regex.IsMatch(text, $@"\b{word}\b");

    private static IEnumerable<string> VariablesIn(string text) => Variable().Matches(text).Select(static match => match.Value);

    [GeneratedRegex(@"\b(?:class|record|struct|enum|interface) ([A-Z]\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex("HAKIT_[A-Z_]*[A-Z]")]
    private static partial Regex Variable();

    // A file or a name in backticks: `Telemetry/Gauge.cs`, `HealthOptions.CooldownCap`, `Hedging:MaxShare`, `Health/CooldownTests`.
    [GeneratedRegex("`([A-Za-z][A-Za-z.:/]+)`")]
    private static partial Regex Place();
}
