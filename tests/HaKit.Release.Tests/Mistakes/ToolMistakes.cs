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
        new("a report over the file that is read", () => WithFileAsync("incidents.csv", Incidents, file => ["simulate", "--incidents", file, "--services", "a", "--svg", file]), "incidents.csv", "--svg", "a file of its own"),
        new("figures over the pool's file", () => WithFileAsync("pool.json", """{ "Endpoints": [ { "Name": "a" } ] }""", file => ["plan", "--pool", file, "--json", file]), "pool.json", "--json", "a file of its own"),
        new("results over the requests", () => WithFileAsync("in.jsonl", "{}", file => ["batch", "run", "--input", file, "--pool", "pool.json", "--journal", "j", "--output", file]), "in.jsonl", "--output", "a file of its own"),
        new("results over the journal", () => WithFileAsync("j", "", file => ["batch", "run", "--pool", "pool.json", "--journal", file, "--output", file]), "/j'", "--output", "a file of its own"),
        new("a journal and a database", () => RunAsync("batch", "show", "--journal", "j", "--postgresql", "Host=localhost", "--batch", "b"), "--postgresql", "--journal", "Give --journal, or"),
        new("a batch of a database in a journal", () => RunAsync("batch", "show", "--journal", "j", "--batch", "b"), "--batch", "--journal", "Give --journal, or"),
        new("an address for a database", () => RunAsync("batch", "show", "--postgresql", "postgres://user:planted@127.0.0.1/db", "--batch", "b"), "cannot be read", "--postgresql", "'Host=localhost"),
        new("an option that a database does not have", () => RunAsync("batch", "show", "--postgresql", "Host=127.0.0.1;Pasword=planted", "--batch", "b"), "cannot be read", "--postgresql", "'Host=localhost"),
        new("a journal that is not there", () => WithFileAsync("j", null, file => ["batch", "show", "--journal", file]), "/j'", "no journal", "Give the name"),
        new("an empty file of requests", () => WithRequestsAsync(""), "no requests", "--input", "\"custom_id\""),
        new("a file of requests that is a table", () => WithRequestsAsync("id,prompt\n1,hi\n"), "Line 1", "--input", "\"custom_id\""),
        new("a request without its id", () => WithRequestsAsync("""{"method":"POST","url":"/v1/chat/completions","body":{}}"""), "'custom_id'", "Line 1", "\"custom_id\""),
        new("a request with a whole address", () => WithRequestsAsync("""{"custom_id":"1","method":"POST","url":"https://api.openai.com/v1/chat/completions","body":{}}"""), "the url", "Line 1", "'/v1/chat/completions'"),
        new("a request that asks for a stream", () => WithRequestsAsync("""{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"stream":true}}"""), "a stream", "Line 1", "Remove"),
        new("a pool without addresses for a batch", () => WithRequestsAsync("""{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{}}""", """{ "Endpoints": [ { "Name": "a" } ] }"""), "endpoint 'a' has no Address", "--pool", "Set it"),
        new("a service without a history", () => RunAsync("plan", "--endpoint", "a:99", "--service", "b"), "--service", "--incidents", "Give the file"),
        new("a load without a pool", () => RunAsync("plan", "--endpoint", "a:99", "--calls-per-minute", "900"), "--calls-per-minute", "--pool FILE", "leave --calls-per-minute out"),
        new("a target with a pool", () => WithFileAsync("pool.json", """{ "Endpoints": [ { "Name": "a" } ] }""", file => ["plan", "--pool", file, "--target", "99.9"]), "--target", "--pool", "Leave one of them out"),
        new("endpoints with a history", () => WithFileAsync("incidents.csv", Incidents, file => ["plan", "--incidents", file, "--endpoint", "b:99"]), "--endpoint", "--incidents", "Leave one of them out"),
        new("a date with the day first", () => WithFileAsync("incidents.csv", Incidents, file => ["plan", "--incidents", file, "--from", "01.03.2025"]), "'01.03.2025'", "--from", "2024-06-01"),
        new("a history that does not exist", () => RunAsync("plan", "--incidents", "/nowhere.csv"), "'/nowhere.csv'", "--incidents", "start, end, service, impact"),
        new("two endpoints of one name in a plan", () => RunAsync("plan", "--endpoint", "openai:99", "--endpoint", "OpenAI:98"), "'openai' twice", "--endpoint", "a name of its own"),
        new("more endpoints required than there are", () => RunAsync("plan", "--endpoint", "a:99", "--required", "2"), "is 2", "--required", "add endpoints"),
        new("one service twice", () => WithFileAsync("incidents.csv", Incidents, file => ["simulate", "--incidents", file, "--services", "a,a"]), "'a' twice", "--services", "once"),
        new("a recording that is a text file", () => WithFileAsync("notes.txt", "hello", file => ["record", "show", file]), "notes.txt", "recording", "AddHaFlightRecorder"),
        new("a recording and a history", () => WithFileAsync("incidents.csv", Incidents, file => ["tune", "recordings", "--incidents", file]), "both given", "--incidents", "Give one of them"),
        new("the path of the chat in the target of a drill", () => RunAsync("drill", "--target", "http://127.0.0.1:8080/v1/chat/completions"), "'/chat/completions'", "--target", "'http://127.0.0.1:8080/v1'"),
        new("a key in the target of a drill", () => RunAsync("drill", "--target", "http://127.0.0.1:8080/v1?key=planted"), "a query", "--target", "--header"),
        new("an upstream for the target of a drill", () => RunAsync("drill", "--target", "http://127.0.0.1:9101/v1"), "an upstream of the drill", "--target", "--upstreams"),
        new("a header without a target", () => RunAsync("drill", "--header", "x-team: red"), "--header", "--target", "leave --header out"),
        new("one port twice", () => RunAsync("drill", "--upstreams", "9101,9101,9102"), "'9101' twice", "--upstreams", "9101,9102,9103"),
        new("a requirement in percent", () => WithFileAsync("drill.json", """{ "success": 99.9 }""", file => ["drill", "--assert", file]), "success is 99.9", "--assert", "0.999"),
        new("a misspelt requirement", () => WithFileAsync("drill.json", """{ "succes": 0.9 }""", file => ["drill", "--assert", file]), "'succes'", "--assert", "success, wrongOrHalf"),
        new("a requirement for a fault that does not exist", () => WithFileAsync("drill.json", """{ "faults": { "refsued": { "success": 0.9 } } }""", file => ["drill", "--assert", file]), "'refsued'", "--assert", "refused"),
        new("a file that requires nothing", () => WithFileAsync("drill.json", "{ }", file => ["drill", "--assert", file]), "requires nothing", "--assert", "success, wrongOrHalf"),
        new("settings of a vault that are not JSON", () => WithFileAsync("vault.json", "{ \"Keys\": ", file => ["vault", "list", "--vault", file]), "vault.json", "--vault", "LineNumber"),
        new("settings without a vault", () => WithFileAsync("vault.json", """{ "Ha": { "Vault": { "Destinations": [] } } }""", file => ["vault", "list", "--vault", file]), "no vault", "--vault", "Destinations is needed"),
        new("a misspelt setting in a file of a vault", () => WithFileAsync("vault.json", """{ "Destinations": [ { "Name": "d", "Foldr": "/tmp/hakit-nowhere" } ], "Keys": { "1": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" } }""", file => ["vault", "list", "--vault", file]), "Foldr", "Destinations:0", "Did you mean 'Folder'?"),
        new("a file and a folder for a vault", () => RunAsync("vault", "list", "--vault", "vault.json", "--to", "/tmp/hakit-nowhere"), "--to", "--vault", "Give one of them"),
        new("a time between two restores of one", () => WithFileAsync("vault.json", """{ "Destinations": [ { "Name": "d", "Folder": "/tmp/hakit-nowhere" } ], "Keys": { "1": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" } }""", file => ["vault", "restore", "latest", "/tmp/hakit-nowhere-out", "--every", "5s", "--vault", file]), "--every", "--follow", "leave --every out"),
        new("a vault whose file does not exist", () => RunAsync("vault", "list", "--vault", "/nowhere.json"), "/nowhere.json", "--vault", "no file"),
    ];

    private static async Task<string> WithRequestsAsync(string requests, string? pool = null)
    {
        var folder = Directory.CreateTempSubdirectory("hakit-mistake-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "in.jsonl"), requests, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "pool.json"), pool ?? """{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1" } ] }""", TestContext.Current.CancellationToken);
            return await RunAsync("batch", "run", "--input", Path.Combine(folder.FullName, "in.jsonl"), "--pool", Path.Combine(folder.FullName, "pool.json"), "--journal", Path.Combine(folder.FullName, "work.journal"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

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
