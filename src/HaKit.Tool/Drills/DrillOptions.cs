using System.CommandLine;
using System.Globalization;
using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>The options of <c>drill</c>.</summary>
internal sealed class DrillOptions
{
    private readonly Option<string?> _target = CommandOptions.Text("--target", "URL", "the address of the gateway, proxy or application to test, with /v1 at its end (default: a HaKit pool with its defaults)");
    private readonly Option<string[]> _headers = new("--header") { HelpName = "NAME:VALUE", Description = "a header of every request to the target; may be given several times" };
    private readonly Option<string?> _dialect = CommandOptions.Text("--dialect", "NAME", "the wire format of the calls and of the upstreams' errors: openai (chat completions, the default) or anthropic (messages)");
    private readonly Option<double> _rate = CommandOptions.Number("--rate", "CALLS", "calls per second; a call does not wait for earlier calls", 50, 1, 1000);
    private readonly Option<double> _streamed = CommandOptions.Number("--streamed", "SHARE", "the share of the calls that ask for a stream, 0 to 1", 0.5, 0, 1);
    private readonly Option<TimeSpan?> _length = CommandOptions.ShortDuration("--length", "how long a fault lasts (long-outage: three times as long) (default 5s)");
    private readonly Option<TimeSpan?> _patience = CommandOptions.ShortDuration("--patience", "how long a caller waits for an answer (default 10s)");
    private readonly Option<int> _seed = CommandOptions.CreateWhole("--seed", "N", "the seed of all random numbers", 1);
    private readonly DrillUpstreamOptions _upstreams = new();

    public Option<string?> Json { get; } = JsonOutput.CreateOption();

    public Option<string?> Markdown { get; } = CommandOptions.Text("--markdown", "FILE", "writes the report as Markdown");

    public Option<string?> Html { get; } = CommandOptions.Text("--html", "FILE", "writes the report as one HTML page with pictures");

    public Option<string?> Assert { get; } = CommandOptions.Text("--assert", "FILE", "a JSON file with the requirements: success, wrongOrHalf, addedP50, addedP99, addedLongest, wellAgainSeconds, amplification, duplicates, earlySends, and faults with their own requirements");

    public IEnumerable<Option> All => [_target, _dialect, _upstreams.Ports, _upstreams.Faults, _rate, _streamed, _length, _patience, _headers, _seed, Json, Markdown, Html, Assert];

    public DrillSettings SettingsOf(ParseResult parsed) => new()
    {
        Faults = [.. DrillUpstreamOptions.FaultsOf(parsed.GetValue(_upstreams.Faults) ?? "full").Select(DialectOf(parsed).Translate)],
        Rate = parsed.GetValue(_rate),
        StreamedShare = parsed.GetValue(_streamed),
        Length = parsed.GetValue(_length) ?? TimeSpan.FromSeconds(5),
        Patience = parsed.GetValue(_patience) ?? TimeSpan.FromSeconds(10),
        Seed = parsed.GetValue(_seed),
        // The drill gives the addresses to its own pool, so any free ports are suitable.
        Ports = parsed.GetValue(_upstreams.Ports) is null && parsed.GetValue(_target) is null ? [0, 0, 0] : DrillUpstreamOptions.PortsOf(parsed.GetValue(_upstreams.Ports)),
    };

    private static readonly string[] s_operations = ["/chat/completions", "/completions", "/messages", "/responses"];

    public DrillContender ContenderOf(ParseResult parsed)
    {
        if (parsed.GetValue(_target) is not { } target)
        {
            if (parsed.GetValue(_headers) is { Length: > 0 })
                throw new UsageException("--header needs --target URL: a header goes to the target only. Give the target, or leave --header out.");
            return DrillContenders.HaKitIn(DialectOf(parsed));
        }

        if (!Uri.TryCreate(target, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new UsageException($"--target is '{target}': an address such as http://127.0.0.1:8080/v1 is needed.");
        if (address.Query.Length > 0 || address.UserInfo.Length > 0)
            throw new UsageException("--target has a query or a user. Give the address without it, and a key with --header. It is not shown, because it may hold a key.");
        if (address.IsLoopback && DrillUpstreamOptions.PortsOf(parsed.GetValue(_upstreams.Ports)).Contains(address.Port))
            throw new UsageException($"--target is '{target}', the address of an upstream of the drill itself. Give the address of the component to test, or give other ports with --upstreams.");
        var path = address.AbsolutePath.TrimEnd('/');
        if (s_operations.FirstOrDefault(o => path.EndsWith(o, StringComparison.OrdinalIgnoreCase)) is { } operation)
            throw new UsageException($"--target is '{target}', which ends with '{operation}'. The drill adds it: '{address.GetLeftPart(UriPartial.Authority)}{path[..^operation.Length]}' is needed.");
        var headers = (parsed.GetValue(_headers) ?? []).Select(HeaderOf).ToArray();
        return DrillContenders.At(target, address, headers, DialectOf(parsed));
    }

    private DrillDialect DialectOf(ParseResult parsed)
    {
        var name = parsed.GetValue(_dialect) ?? DrillDialect.OpenAI.Name;
        return DrillDialect.All.FirstOrDefault(d => d.Name == name) ?? throw new UsageException($"--dialect is '{name}', which is no dialect. The names are {string.Join(", ", DrillDialect.All.Select(static d => d.Name))}.");
    }

    private static KeyValuePair<string, string> HeaderOf(string text) =>
        text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
            ? new(text[..colon].Trim(), text[(colon + 1)..].Trim())
            : throw new UsageException("--header is not of the form NAME:VALUE, such as 'x-team: red'. It is not shown, because it may hold a key.");
}

/// <summary>The options that drill and serve share: the upstreams and the faults.</summary>
internal sealed class DrillUpstreamOptions
{
    public Option<string?> Ports { get; } = CommandOptions.Text("--upstreams", "PORTS", "the ports of the upstreams on 127.0.0.1 (default 9101,9102,9103)");

    public Option<string?> Faults { get; } = CommandOptions.Text("--faults", "NAMES", "which faults: full (all at their full rate, the default), low (a tenth of the requests), all, or names such as refused,throttled,cut-10%");

    public static IReadOnlyList<int> PortsOf(string? text)
    {
        var ports = ReadPorts(text);
        return ports.GroupBy(static p => p).FirstOrDefault(static g => g.Count() > 1) is { Key: var twice }
            ? throw new UsageException($"--upstreams has '{twice}' twice: each upstream needs a port of its own, such as 9101,9102,9103.")
            : ports;
    }

    private static IReadOnlyList<int> ReadPorts(string? text) =>
        [.. (text ?? "9101,9102,9103").Split(',', StringSplitOptions.TrimEntries).Select(port =>
            int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536 ? number : throw new UsageException($"--upstreams has '{port}': ports such as 9101,9102,9103 are needed."))];

    public static IReadOnlyList<DrillFault> FaultsOf(string names) => names switch
    {
        "full" => DrillFaults.Full,
        "low" => DrillFaults.LowRate,
        "all" => DrillFaults.All,
        _ => FaultsNamed(names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), names),
    };

    private static IReadOnlyList<DrillFault> FaultsNamed(string[] names, string given)
    {
        var all = string.Join(", ", DrillFaults.All.Select(static f => f.Name));
        return names.Length == 0
            ? throw new UsageException($"--faults is '{given}', which names no fault. The names are full, low, all, {all}.")
            : [.. names.Select(name => DrillFaults.All.FirstOrDefault(f => f.Name == name) ?? throw new UsageException($"--faults names '{name}', which is no fault. The names are full, low, all, {all}."))];
    }
}
