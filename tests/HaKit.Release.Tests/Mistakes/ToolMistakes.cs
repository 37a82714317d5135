using HaKit.Tool;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes at the command line of <c>hakit</c>. Each ends with exit code 2 before any work has begun.</summary>
internal static class ToolMistakes
{
    private const string Incidents = "start,end,service,impact\n2025-01-01T00:00:00Z,2025-01-01T01:00:00Z,a,2\n";

    public static IEnumerable<Mistake> All { get; } =
    [
        new("a target of four percent", () => RunAsync("plan", "--target", "4"), "'4'", "--target", "99.95"),
        new("a target above one hundred percent", () => RunAsync("plan", "--target", "100"), "'100'", "--target", "below 100"),
        new("a command that does not exist", () => RunAsync("pln"), "'pln'", "hakit", "Did you mean 'plan'?"),
        new("a misspelt option", () => RunAsync("plan", "--tarket", "99.9"), "'--tarket'", "hakit plan", "Did you mean '--target'?"),
        new("a time without its unit", () => RunAsync("plan", "--mttr", "60"), "'60'", "--mttr", "5m"),
        new("a pool file that does not exist", () => WithFileAsync("pool.json", null, file => ["plan", "--pool", file]), "pool.json", "--pool", "not found"),
        new("a pool file with a setting misspelt in a section", () => WithFileAsync("pool.json", """{ "chat": { "Endpoints": [ { "Name": "a", "Wieght": 1 } ] } }""", file => ["plan", "--pool", file]), "Wieght", "chat:Endpoints:0", "Did you mean 'Weight'?"),
        new("a pool file with a setting misspelt at its root", () => WithFileAsync("pool.json", """{ "Endpoints": [ { "Name": "a", "Wieght": 1 } ] }""", file => ["plan", "--pool", file]), "Wieght", "Endpoints:0", "Did you mean 'Weight'?"),
        new("a pool file with a group misspelt at its root", () => WithFileAsync("pool.json", """{ "Endpoints": [ { "Name": "a" } ], "Hartbeat": { "Interval": "00:00:05" } }""", file => ["plan", "--pool", file]), "Hartbeat", "--pool", "Did you mean 'Heartbeat'?"),
        new("a bare number for a time at the root of a pool file", () => WithFileAsync("pool.json", """{ "Endpoints": [ { "Name": "a" } ], "ConnectTimeout": "2" }""", file => ["plan", "--pool", file]), "'2'", "ConnectTimeout", "'00:00:02'"),
        new("a pool file that is not JSON", () => WithFileAsync("pool.json", "{ \"Endpoints\": [ { \"Name\": \"a\" } ] ", file => ["plan", "--pool", file]), "pool.json", "--pool", "LineNumber"),
        new("a pool file with two pools", () => WithFileAsync("pool.json", """{ "one": { "Endpoints": [ { "Name": "a" } ] }, "two": { "Endpoints": [ { "Name": "a" } ] } }""", file => ["plan", "--pool", file]), "one, two", "--pool", "file of its own"),
        new("a pool file without a pool", () => WithFileAsync("pool.json", """{ "Logging": { } }""", file => ["plan", "--pool", file]), "pool.json", "--pool", "Endpoints"),
        new("a history with other columns", () => WithFileAsync("incidents.csv", "when,what\n1,2\n", file => ["simulate", "--incidents", file]), "incidents.csv", "--incidents", "start, end, service, impact"),
        new("a history without the service that is asked for", () => WithFileAsync("incidents.csv", Incidents, file => ["simulate", "--incidents", file, "--services", "b"]), "'b'", "--services", "a"),
        new("figures to a folder that does not exist", () => WithFileAsync("incidents.csv", Incidents, file => ["simulate", "--incidents", file, "--services", "a", "--json", "/nowhere/figures.json"]), "'/nowhere/figures.json'", "--json", "cannot be written"),
        new("a report where nothing can be written", () => WithFileAsync("file", "", file => ["report", "--out", file]), "file'", "--out", "cannot be written"),
        new("a recording that is not there", () => RunAsync("record", "show", "/nowhere"), "'/nowhere'", "recording", "AddHaFlightRecorder"),
        new("a replay of nothing", () => RunAsync("replay"), "needed", "RECORDING", "--trace"),
        new("a setting that no pool has, in a replay", () => RunAsync("replay", "/nowhere", "--set", "Retry"), "'Retry'", "--set", "NAME=VALUE"),
        new("a drill of an address that is none", () => RunAsync("drill", "--target", "localhost:8080"), "'localhost:8080'", "--target", "http://"),
        new("a port that is none", () => RunAsync("serve", "--upstreams", "99999"), "'99999'", "--upstreams", "9101,9102,9103"),
        new("a vault whose file does not exist", () => RunAsync("vault", "list", "--vault", "/nowhere.json"), "/nowhere.json", "--vault", "no file"),
    ];

    private static async Task<string> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        (await HakitTool.RunAsync(args, output, error, TestContext.Current.CancellationToken)).Should().Be(HakitTool.NotRun, "it said: {0}{1}", error, output);
        output.ToString().Should().BeEmpty("nothing was begun");
        return error.ToString();
    }

    private static async Task<string> WithFileAsync(string name, string? content, Func<string, string[]> args)
    {
        var folder = Directory.CreateTempSubdirectory("hakit-mistake-");
        try
        {
            var file = Path.Combine(folder.FullName, name);
            if (content is not null)
                await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
            return await RunAsync(args(file));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
