using HaKit.Recording;
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
        new("a pool without addresses for a batch", () => WithRequestsAsync("""{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{}}""", """{ "Endpoints": [ { "Name": "a" } ] }"""), "endpoint 'a' has no Address", "--pool", "Set the Address"),
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
        new("a trace with a recording", () => RunAsync("replay", "/nowhere", "--trace", "trace.csv"), "--trace", "RECORDING", "Leave one of them out"),
        new("a speed with a recording", () => RunAsync("replay", "/nowhere", "--speed", "5"), "--speed", "RECORDING", "Leave one of them out"),
        new("settings with a trace", () => RunAsync("replay", "--trace", "trace.csv", "--set", "Retry:MaxRetryAttempts=0"), "--set", "--trace", "Give a RECORDING"),
        new("a pool with a trace", () => RunAsync("replay", "--trace", "trace.csv", "--pool", "pool.json"), "--pool", "--trace", "Give a RECORDING"),
        new("a misspelt setting in a replay", () => RunAsync("replay", "/nowhere", "--set", "Retry:MaxRetries=0"), "Retry:MaxRetries", "--set", "Did you mean"),
        new("the group of another library in a replay", () => RunAsync("replay", "/nowhere", "--set", "Breaker.Duration=1"), "Breaker", "--set", "Did you mean 'CircuitBreaker'?"),
        new("a bare number for a time in a replay", () => RunAsync("replay", "/nowhere", "--set", "ConnectTimeout=2"), "'2'", "--set", "'00:00:02'"),
        new("services with a recording", () => RunAsync("tune", "/nowhere", "--services", "a"), "--services", "RECORDING", "Leave it out"),
        new("the name of a recorded pool with a history", () => WithFileAsync("incidents.csv", Incidents, file => ["tune", "--incidents", file, "--name", "chat"]), "--name", "RECORDING", "Leave it out"),
        new("a drawing of many runs", () => WithFileAsync("incidents.csv", Incidents, file => ["simulate", "--incidents", file, "--services", "a", "--sweep", "deadline", "--svg", "out.svg"]), "--svg", "--sweep", "Leave one of them out"),
        new("a sweep of nothing", () => WithFileAsync("incidents.csv", Incidents, file => ["simulate", "--incidents", file, "--services", "a", "--sweep", ","]), "names no setting", "--sweep", "deadline"),
        new("a pool without the services of a history", () => WithFileAsync("pool.json", """{ "Endpoints": [ { "Name": "a" } ] }""", file => ["simulate", "--incidents", WithIncidents(file), "--services", "a,b", "--pool", file]), "'b'", "--pool", "--services"),
        new("rounds of no faults", () => RunAsync("serve", "--rounds", "3"), "--rounds", "--faults", "Name the faults"),
        new("a negative number of rounds", () => RunAsync("serve", "--faults", "cut", "--rounds", "-1"), "'-1'", "--rounds", "a whole number"),
        new("a fault that does not exist", () => RunAsync("drill", "--faults", "refsued"), "'refsued'", "--faults", "refused"),
        new("a list of no faults", () => RunAsync("drill", "--faults", ","), "names no fault", "--faults", "refused"),
        new("a dialect that the drill does not speak", () => RunAsync("drill", "--dialect", "claude"), "'claude'", "--dialect", "anthropic"),
        new("a rate of nothing", () => RunAsync("drill", "--rate", "0"), "'0'", "--rate", "a number from 1"),
        new("a share of streams in percent", () => RunAsync("drill", "--streamed", "50"), "'50'", "--streamed", "from 0 to 1"),
        new("a port that another program has", () => WithPortAsync(port => ["serve", "--upstreams", $"{port}"]), "address already in use", "--upstreams", "give other ports"),
        new("a page in a folder that does not exist", () => RunAsync("drill", "--html", "/nowhere/drill.html"), "'/nowhere/drill.html'", "--html", "cannot be written"),
        new("requirements that do not exist", () => RunAsync("drill", "--assert", "/nowhere.json"), "'/nowhere.json'", "--assert", "Could not find"),
        new("an endpoint without its availability", () => RunAsync("plan", "--endpoint", "openai"), "'openai'", "--endpoint", "openai:99.5"),
        new("a common cause in percent in a plan", () => RunAsync("plan", "--beta", "10"), "'10'", "--beta", "from 0 to 1"),
        new("a batch that is nowhere", () => RunAsync("batch", "show"), "batch", "--journal", "Give --journal NAME"),
        new("a folder for a pool", () => WithFileAsync("file", "", file => ["plan", "--pool", Path.GetDirectoryName(file)!]), "hakit-mistake-", "--pool", "cannot be used"),
        new("an empty file for a pool", () => WithFileAsync("pool.json", "", file => ["plan", "--pool", file]), "pool.json", "--pool", "cannot be used"),
        new("a list for a pool", () => WithFileAsync("pool.json", "[ { \"Name\": \"a\" } ]", file => ["plan", "--pool", file]), "pool.json", "--pool", "cannot be used"),
        new("a database without a host", () => RunAsync("batch", "show", "--postgresql", "Database=batches;Password=planted", "--batch", "b"), "connection string", "--postgresql", "'Host=localhost"),
        new("a run without a pool", () => RunAsync("batch", "run", "--journal", "j"), "'--pool'", "hakit batch run", "--help lists"),
        new("a negative cost", () => RunAsync("batch", "run", "--journal", "j", "--pool", "p", "--max-cost", "-5"), "'-5'", "--max-cost", "a number from 0"),
        new("a time after which to stop, without its unit", () => RunAsync("batch", "run", "--journal", "j", "--pool", "p", "--stop-after", "8"), "'8'", "--stop-after", "1h"),
        new("a choice that does not exist", () => RunAsync("batch", "run", "--journal", "j", "--pool", "p", "--on-changed", "skip"), "'skip'", "--on-changed", "refuse, redo or keep"),
        new("a database that cannot be reached", () => RunAsync("batch", "show", "--postgresql", "Host=127.0.0.1;Port=1;Password=planted;Timeout=5", "--batch", "b"), "127.0.0.1:1", "The batch 'b'", "Correct host and port"),
        new("a copy of a vault on no destination", () => RunAsync("vault", "save", ".", "--copies", "0", "--to", "/tmp/hakit-nowhere"), "'0'", "--copies", "from 1"),
        new("a vault without a place", () => RunAsync("vault", "list"), "A vault needs", "--vault FILE", "--to FOLDER"),
        new("one path with a standby folder", () => WithFileAsync("vault.json", OneVault, file => ["vault", "restore", "latest", "/tmp/hakit-nowhere-out", "--follow", "--path", "a", "--vault", file]), "--path", "--follow", "without --path"),
        new("a day with the day first", () => WithRecordingAsync(folder => ["record", "show", folder, "--day", "29.11.2026"]), "'29.11.2026'", "--day", "2026-11-29"),
        new("a day that the recording does not have", () => WithRecordingAsync(folder => ["record", "show", folder, "--day", "2001-01-01"]), "'2001-01-01'", "--day", "Give a day of this time"),
        new("a recording of another pool", () => WithRecordingAsync(folder => ["record", "show", folder, "--name", "chta"]), "'chta'", "--name", "as AddHaFlightRecorder has it"),
    ];

    private const string OneVault = """{ "Destinations": [ { "Name": "d", "Folder": "/tmp/hakit-nowhere" } ], "Keys": { "1": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" } }""";

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

    private static string WithIncidents(string beside)
    {
        var file = Path.Combine(Path.GetDirectoryName(beside)!, "incidents.csv");
        File.WriteAllText(file, Incidents + "2025-01-02T00:00:00Z,2025-01-02T01:00:00Z,b,2\n");
        return file;
    }

    private static async Task<string> WithPortAsync(Func<int, string[]> args)
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return await RunAsync(args(((System.Net.IPEndPoint)listener.LocalEndpoint).Port));
    }

    private static async Task<string> WithRecordingAsync(Func<string, string[]> args)
    {
        var folder = Directory.CreateTempSubdirectory("hakit-mistake-");
        try
        {
            var parts = new EndpointPoolParts().UseFlightRecorder(new FlightRecorderOptions { Folder = folder.FullName });
            await using (var pool = new EndpointPool("chat", new EndpointPoolOptions { Endpoints = { new() { Name = "a" } } }, parts))
                await pool.ExecuteAsync((_, _) => new ValueTask<int>(1), TestContext.Current.CancellationToken);
            return await RunAsync(args(folder.FullName));
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
        // A command that is not refused may run until it is interrupted.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        end.CancelAfter(TimeSpan.FromSeconds(30));
        (await HakitTool.RunAsync(args, output, error, end.Token)).Should().Be(HakitTool.NotRun, "it said: {0}{1}", error, output);
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
