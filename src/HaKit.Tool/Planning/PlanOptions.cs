using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HaKit.Availability;

namespace HaKit.Tool.Planning;

/// <summary>The options of the command <c>plan</c>.</summary>
internal sealed record PlanOptions
{
    public required AvailabilityRatio Target { get; init; }
    public required IReadOnlyList<PlannedEndpoint> Endpoints { get; init; }
    public required int Required { get; init; }
    public required double? Beta { get; init; }
    public required TimeSpan Detection { get; init; }
    public required double Rescued { get; init; }
    public required TimeSpan Mttr { get; init; }
    public required double Coverage { get; init; }
    public required TimeSpan Uncovered { get; init; }
    public required PoolRouting Routing { get; init; }
    public required TimeSpan Period { get; init; }
    public required PlanCosts Costs { get; init; }
    public required string? IncidentFile { get; init; }
    public required IReadOnlyList<string> Services { get; init; }
    public required int Impact { get; init; }
    public required DateTimeOffset? From { get; init; }
    public required DateTimeOffset? To { get; init; }
}

/// <summary>The costs of the possible changes of a pool, in any unit.</summary>
internal sealed record PlanCosts(double Endpoint, double Beta, double Detection, double Rescue, double Coverage);

/// <summary>The options of <c>plan</c> on the command line.</summary>
internal sealed class PlanCommandOptions
{
    private readonly Option<AvailabilityRatio> _target = CommandOptions.CreateOption("--target", "A", "the availability to reach, in percent or nines", static text => Percent(text) is { Value: < 1 } target ? target : null, Percentage, AvailabilityRatio.From(0.9999m));
    private readonly Option<PlannedEndpoint[]> _endpoints = Repeated("--endpoint", "NAME:A", "an endpoint and its availability; may be given several times (default openai:97.0 anthropic:98.4)", ParseEndpoint);
    private readonly Option<int> _required = CommandOptions.CreateWhole("--required", "N", "how many endpoints are needed to carry the load", usual: 1, least: 1);
    private readonly Option<double?> _beta = Share("--beta", "the share of outages that affect all endpoints at once, 0 to 1 (default 0.1; with --incidents, estimated)");
    private readonly Option<TimeSpan?> _detection = CommandOptions.Duration("--detect", "the time from a failure until it is detected (default 20s)");
    private readonly Option<double?> _rescued = Share("--rescued", "the share of the calls to a failed endpoint that another endpoint serves before the failure is detected, 0 to 1 (default 0)");
    private readonly Option<TimeSpan?> _mttr = CommandOptions.Duration("--mttr", "how long an outage lasts (default 1h)");
    private readonly Option<double?> _coverage = Share("--coverage", "the share of failures that are ever detected, 0 to 1 (default 1)");
    private readonly Option<TimeSpan?> _uncovered = CommandOptions.Duration("--uncovered", "how long a failure lasts if it is never detected (default 30m)");
    private readonly Option<PoolRouting> _routing = CommandOptions.CreateOption<PoolRouting>("--routing", "HOW", "how the calls are divided: balanced (all endpoints get calls) or priority (an endpoint gets calls only if the endpoints before it are down)", ParseRouting, "balanced or priority", PoolRouting.Balanced);
    private readonly Option<TimeSpan?> _period = CommandOptions.Duration("--period", "the period for which the downtime is shown (default 30d)");
    private readonly Option<double> _endpointCost = Cost("--cost-endpoint", "one more endpoint", 100);
    private readonly Option<double> _betaCost = Cost("--cost-beta", "halving beta", 30);
    private readonly Option<double> _detectionCost = Cost("--cost-detect", "halving detection", 5);
    private readonly Option<double> _rescueCost = Cost("--cost-rescue", "saving half of the calls that are lost before detection", 10);
    private readonly Option<double> _coverageCost = Cost("--cost-coverage", "halving the share of failures that are never detected", 20);
    private readonly Option<string?> _incidents = CommandOptions.Text("--incidents", "FILE", "a CSV file from which the availability of the endpoints is estimated, with the columns start, end, service, impact");
    private readonly Option<string[]> _services = Repeated("--service", "NAME", "a service in the file of --incidents; may be given several times (default all)", static text => text);
    private readonly Option<int> _impact = CommandOptions.CreateWhole("--impact", "N", "the lowest impact that counts as down", usual: 1);
    private readonly Option<DateTimeOffset?> _from = Time("--from", "when the period that the file of --incidents covers begins (default: its first start)");
    private readonly Option<DateTimeOffset?> _to = Time("--to", "when the period that the file of --incidents covers ends (default: its last end)");

    private const string Percentage = "a percentage of at least 50 and below 100, such as 99.95, or a number of nines, such as 3N5,";

    public IEnumerable<Option> All =>
    [
        _target, _endpoints, _required, _beta, _detection, _rescued, _mttr, _coverage, _uncovered, _routing, _period,
        _endpointCost, _betaCost, _detectionCost, _rescueCost, _coverageCost, _incidents, _services, _impact, _from, _to,
    ];

    public Option Endpoints => _endpoints;

    public Option Incidents => _incidents;

    /// <summary>Gets the options that select incidents of a file.</summary>
    public IEnumerable<Option> OfIncidents => [_services, _impact, _from, _to];

    public PlanOptions Read(ParseResult parsed)
    {
        var mttr = parsed.GetValue(_mttr) ?? TimeSpan.FromHours(1);
        PlannedEndpoint[] usual = [new("openai", AvailabilityRatio.From(0.970m)), new("anthropic", AvailabilityRatio.From(0.984m))];
        return new PlanOptions
        {
            Target = parsed.GetValue(_target),
            Endpoints = [.. (parsed.GetValue(_endpoints) is { Length: > 0 } given ? given : usual).Select(e => e with { Mttr = mttr })],
            Required = parsed.GetValue(_required),
            Beta = parsed.GetValue(_beta),
            Detection = parsed.GetValue(_detection) ?? TimeSpan.FromSeconds(20),
            Rescued = parsed.GetValue(_rescued) ?? 0,
            Mttr = mttr,
            Coverage = parsed.GetValue(_coverage) ?? 1,
            Uncovered = parsed.GetValue(_uncovered) ?? TimeSpan.FromMinutes(30),
            Routing = parsed.GetValue(_routing),
            Period = parsed.GetValue(_period) ?? TimeSpan.FromDays(30),
            Costs = new(parsed.GetValue(_endpointCost), parsed.GetValue(_betaCost), parsed.GetValue(_detectionCost), parsed.GetValue(_rescueCost), parsed.GetValue(_coverageCost)),
            IncidentFile = parsed.GetValue(_incidents),
            Services = parsed.GetValue(_services) ?? [],
            Impact = parsed.GetValue(_impact),
            From = parsed.GetValue(_from),
            To = parsed.GetValue(_to),
        };
    }

    private static Option<T[]> Repeated<T>(string name, string valueName, string description, Func<string, T?> parse)
        where T : class => new(name)
        {
            HelpName = valueName,
            Description = description,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result =>
            {
                var values = new List<T>();
                foreach (var token in result.Tokens)
                {
                    if (parse(token.Value) is { } value)
                        values.Add(value);
                    else
                        result.AddError($"{name} is '{token.Value}': {valueName} is needed, such as openai:99.5.");
                }

                return [.. values];
            },
        };

    private static Option<double?> Share(string name, string description) => new(name)
    {
        HelpName = "SHARE",
        Description = description,
        CustomParser = result => CommandOptions.Parsed<double>(result, static text => CommandOptions.ParseNumber(text) is >= 0 and <= 1 and var share ? share : null, "a number from 0 to 1"),
    };

    private static Option<double> Cost(string name, string change, double usual) =>
        CommandOptions.CreateOption<double>(name, "X", $"the cost of {change}", static text => CommandOptions.ParseNumber(text) is >= 0 and var cost ? cost : null, "a number that is not negative", usual);

    private static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        HelpName = "TIME",
        Description = description,
        CustomParser = result => CommandOptions.Parsed(result, ParseTime, "a time such as 2024-06-01T00:00:00Z"),
    };

    // Only times that begin with the year are accepted: 01.03.2025 means 1 March in one country and 3 January in another country.
    private static DateTimeOffset? ParseTime(string text) =>
        text.Length >= 10 && text[4] == '-' && text[..4].All(char.IsAsciiDigit) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    private static PoolRouting? ParseRouting(string text) => text switch
    {
        "balanced" => PoolRouting.Balanced,
        "priority" => PoolRouting.Priority,
        _ => null,
    };

    private static PlannedEndpoint? ParseEndpoint(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && !string.IsNullOrWhiteSpace(text[..colon]) && Percent(text[(colon + 1)..]) is { } availability ? new PlannedEndpoint(text[..colon], availability) : null;
    }

    // A number without a unit is a percentage here. A number below 50 % is treated as a mistake. Usually it is a number of nines without the N, such as 4 for
    // 4N.
    private static AvailabilityRatio? Percent(string text) =>
        AvailabilityRatio.TryParse(double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? text + "%" : text, out var result) && result.Value >= 0.5 ? result : null;
}
