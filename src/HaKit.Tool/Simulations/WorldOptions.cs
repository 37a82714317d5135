using System.CommandLine;
using HaKit.Testing;
using HaKit.Tool.Planning;
using HaKit.Tool.Rehearsals;

namespace HaKit.Tool.Simulations;

/// <summary>The options that describe the simulated system.</summary>
internal sealed class WorldOptions
{
    private readonly Option<string?> _incidents = CommandOptions.Text("--incidents", "FILE", "a CSV file with the columns start, end, service, impact; a service is down during incidents with an impact of at least 1");
    private readonly Option<string?> _services = CommandOptions.Text("--services", "A,B", "the services in the file of --incidents that are used (default openai-api,anthropic-api)");
    private readonly Option<string?> _pool = CommandOptions.Text("--pool", "FILE",
        "a JSON file with your own pool, as in your configuration; an endpoint is down during the incidents of a service if its Name, Provider or Account is the name of this service (default: one endpoint for each service, with the defaults and a deadline of 60 s)");
    private readonly Option<string?> _trace = CommandOptions.Text("--trace", "FILE", "a CSV file with the times and sizes of the calls, which are repeated: TIMESTAMP,ContextTokens,GeneratedTokens (default: random times, 1000 and 200 tokens)");
    private readonly Option<double> _rate;
    private readonly Option<double> _days = CommandOptions.Number("--days", "N", "the number of days that are used, from the beginning of the history; 0: all days", 0, 0, 10_000);
    private readonly Option<int> _seed = CommandOptions.CreateWhole("--seed", "N", "the seed of all random numbers", 1);

    public WorldOptions(double usualRate = 0.2, bool isRequired = true)
    {
        _rate = CommandOptions.Number("--rate", "CALLS", "calls per second on average", usualRate, 0.0001, 1000);
        _incidents.Required = isRequired;
    }

    public Option<string?> IncidentsOption => _incidents;

    public Option<string?> PoolOption => _pool;

    public IEnumerable<Option> All => [_incidents, _services, _pool, _trace, _rate, _days, _seed];

    public World Read(ParseResult parsed)
    {
        var services = (parsed.GetValue(_services) ?? "openai-api,anthropic-api").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (services.GroupBy(static s => s, StringComparer.Ordinal).FirstOrDefault(static g => g.Count() > 1) is { Key: var twice })
            throw new UsageException($"--services names '{twice}' twice. Name each service once.");
        var pool = parsed.GetValue(_pool);
        var days = parsed.GetValue(_days);
        var history = History.FromIncidents(ReadIncidents(parsed.GetRequiredValue(_incidents)!), services, days > 0 ? days : null);
        // Creates new options each time, because a sweep changes the options that it gets.
        EndpointPoolOptions Options() => pool is null ? DefaultPool(services) : PoolFile.Read(pool);
        var members = Options().Endpoints;
        foreach (var service in services)
        {
            if (!members.Any(e => World.IsOf(e, service)))
                throw new UsageException($"--pool is '{pool}', in which no endpoint has '{service}' as its Name, Provider or Account. Name the services of the pool's endpoints with --services, or set Provider of the endpoints.");
        }

        return new World
        {
            History = history,
            Seed = parsed.GetValue(_seed),
            Arrivals = parsed.GetValue(_trace) is { } trace ? Workload.Trace(ReadTrace(trace)).Repeated(parsed.GetValue(_rate)) : Workload.Poisson(parsed.GetValue(_rate)).OfTokens(1000, 200),
            Pool = options => PoolFile.Copy(Options(), options),
        };
    }

    private static EndpointPoolOptions DefaultPool(IEnumerable<string> services) => new()
    {
        Endpoints = [.. services.Select(s => new EndpointOptions { Name = s, Provider = s })],
        TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(60) },
    };

    private static IReadOnlyList<Incident> ReadIncidents(string file)
    {
        try
        {
            using var reader = File.OpenText(file);
            var incidents = Incidents.Read(reader);
            return incidents.Count > 0 ? incidents : throw new FormatException("there is no incident in it");
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--incidents is '{file}', which cannot be read: {exception.Message}");
        }
    }

    private static string[] ReadTrace(string file)
    {
        // Checks the whole file before the run starts, so that an error in it is not found in the middle of the run.
        Trace.Read(file, TimeSpan.MaxValue);
        return File.ReadAllLines(file);
    }
}
