using HaKit.Sample.Simulations;
using HaKit.Testing;

namespace HaKit.Sample;

/// <summary>What a pool would have delivered under a real history of incidents.</summary>
internal static class SimulateCommand
{
    /// <summary>How many times the limit's unavailability the pool's may be.</summary>
    public const double MostRatio = 1.2;

    private const string Usage = """
        simulate --incidents FILE [--services A,B] [--pool FILE] [--trace FILE] [--rate CALLS] [--days N] [--seed N] [--json FILE] [--svg FILE] [--sweep SETTINGS]

          --incidents FILE    CSV with the columns start, end, service, impact; impact 1 and up is down
          --services A,B      whose incidents (default openai-api,anthropic-api)
          --pool FILE         your own pool, as JSON as in your configuration; an endpoint takes part in the incidents of the service that its Name, Provider or
                              Account is (default: one endpoint for each service, with the defaults and a deadline of 60 s)
          --trace FILE        arrivals and sizes, repeated: CSV with TIMESTAMP,ContextTokens,GeneratedTokens (default: at random times, 1000 and 200 tokens)
          --rate CALLS        calls a second on average, 0.0001 to 1000 (default 0.2)
          --days N            only the first days of the history, 0.01 to 10000 (default: all of it)
          --seed N            of everything random (default 1)
          --json FILE         writes the figures to a file
          --svg FILE          draws the history to a file
          --sweep SETTINGS    instead: how much each of these settings matters, one at a time; "all", or of:
                              {0}

        Everything runs in virtual time on one thread: the real pool over scripted endpoints. A call is unavailable when it was not served within its deadline.
        Exit code 1 if the pool was unavailable for more than 1.2 times the share of the time when no service was up.
        """;

    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var line = new CommandLine(args);
        if (line.Flag("--help") || line.Flag("-h"))
        {
            await output.WriteLineAsync(Usage.Replace("{0}", string.Join(", ", Sweep.Names), StringComparison.Ordinal));
            return 0;
        }
        var (json, svg, sweep) = (line.Text("--json"), line.Text("--svg"), line.Text("--sweep"));
        var world = WorldOf(line);
        if (sweep is not null)
        {
            await output.WriteLineAsync(Sweep.Of(sweep).Run(world, setting => Watched(error, setting, cancellationToken)));
            return 0;
        }
        await using var jsonFile = json is null ? null : Create("--json", json);
        await using var svgFile = svg is null ? null : Create("--svg", svg);
        var (scored, result) = Run(world, minorAsErrors: false, Watched(error, "impact 1 and up is down", cancellationToken));
        var (minor, _) = Run(world, minorAsErrors: true, Watched(error, "impact 1 is errors     ", cancellationToken));
        var figures = SimulateFigures.Of(world, scored, minor);
        await output.WriteAsync(SimulateText.Of(figures));
        if (jsonFile is not null)
            await figures.WriteAsync(jsonFile, cancellationToken);
        if (svgFile is not null)
        {
            await using var writer = new StreamWriter(svgFile);
            await writer.WriteAsync(HistoryDrawing.Of(world.History, result));
        }
        return figures.IsGood ? 0 : 1;
    }

    private static (RunFigures, SimulationResult) Run(World world, bool minorAsErrors, (Progress Progress, Action<double> Show) watched)
    {
        var (result, cameInVain) = world.Run(minorAsErrors, watched.Show);
        return (RunFigures.Of(result, cameInVain, watched.Progress.Took), result);
    }

    private static (Progress, Action<double>) Watched(TextWriter error, string what, CancellationToken cancellationToken)
    {
        var progress = Progress.For(error, what);
        return (progress, share =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress.Show(share);
        });
    }

    private static World WorldOf(CommandLine line)
    {
        var incidents = line.Text("--incidents");
        var services = (line.Text("--services") ?? "openai-api,anthropic-api").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var pool = line.Text("--pool");
        var trace = line.Text("--trace");
        var rate = line.Number("--rate", 0.2, 0.0001, 1000);
        var days = line.Number("--days", 0, 0.01, 10_000);
        var seed = line.Whole("--seed", 1);
        line.RefuseTheRest();
        if (incidents is null)
            throw new UsageException("--incidents is needed: the history to live through.");
        var history = History.Of(ReadIncidents(incidents), services, days > 0 ? days : null);
        // Made anew each time: a sweep changes what it is given.
        EndpointPoolOptions Options() => pool is null ? DefaultPool(services) : PoolFile.Read(pool);
        var members = Options().Endpoints;
        foreach (var service in services)
            if (!members.Any(e => World.IsOf(e, service)))
                throw new UsageException($"--pool is '{pool}', in which no endpoint has '{service}' as its Name, Provider or Account.");
        return new World
        {
            History = history,
            Seed = seed,
            Arrivals = trace is null ? Workload.Poisson(rate).OfTokens(1000, 200) : Workload.Trace(ReadTrace(trace)).Repeated(rate),
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
        // Checked whole before anything runs: what is wrong with it is better told now than in the middle.
        Rehearsals.Trace.Read(file, TimeSpan.MaxValue);
        return File.ReadAllLines(file);
    }

    private static FileStream Create(string option, string file)
    {
        try
        {
            return File.Create(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option} is '{file}', which cannot be written: {exception.Message}");
        }
    }
}
