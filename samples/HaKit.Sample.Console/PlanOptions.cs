using System.Globalization;
using HaKit.Availability;

namespace HaKit.Sample;

using Availability = HaKit.Availability.Availability;

/// <summary>What the plan command was asked; every option has a default.</summary>
internal sealed record PlanOptions
{
    public const string Usage = """
        plan [options]
          --target A           what to reach, in percent or nines           99.99
          --endpoint NAME:A    an endpoint and its availability; repeat     openai:97.0 anthropic:98.4
          --required N         endpoints that carry the load                1
          --beta B             share of outages that hit all at once, 0-1   0.1 (with --incidents: estimated)
          --detect T           from a failure until it is known             20s
          --rescued R          calls that succeed elsewhere until then, 0-1 0
          --mttr T             how long an outage lasts                     1h
          --coverage C         failures that are noticed at all, 0-1        1
          --uncovered T        how long an unnoticed one lasts              30m
          --routing R          balanced or priority                         balanced
          --period T           the period downtime is told for              30d
          --cost-endpoint X    cost of one more endpoint                    100
          --cost-beta X        cost of halving beta                         30
          --cost-detect X      cost of halving detection                    5
          --cost-rescue X      cost of rescuing half of the rest            10
          --cost-coverage X    cost of halving what is not noticed          20
          --incidents FILE     estimate endpoints from start,end,service,impact
          --service NAME       a service in that file; repeat               all
          --impact N           least impact that counts as down             1
          --from T, --to T     what the file covers                         its first start, its last end
        Times are 500ms, 20s, 5m, 1h, 30d.
        """;

    public Availability Target { get; private init; } = Availability.Of(0.9999m);

    public IReadOnlyList<PlannedEndpoint> Endpoints { get; private init; } = [];

    public int Required { get; private init; } = 1;

    public double? Beta { get; private init; }

    public TimeSpan Detection { get; private init; } = TimeSpan.FromSeconds(20);

    public double Rescued { get; private init; }

    public TimeSpan Mttr { get; private init; } = TimeSpan.FromHours(1);

    public double Coverage { get; private init; } = 1;

    public TimeSpan Uncovered { get; private init; } = TimeSpan.FromMinutes(30);

    public PoolRouting Routing { get; private init; }

    public TimeSpan Period { get; private init; } = TimeSpan.FromDays(30);

    public double EndpointCost { get; private init; } = 100;

    public double BetaCost { get; private init; } = 30;

    public double DetectionCost { get; private init; } = 5;

    public double RescueCost { get; private init; } = 10;

    public double CoverageCost { get; private init; } = 20;

    public string? IncidentFile { get; private init; }

    public IReadOnlyList<string> Services { get; private init; } = [];

    public int Impact { get; private init; } = 1;

    public DateTimeOffset? From { get; private init; }

    public DateTimeOffset? To { get; private init; }

    /// <exception cref="FormatException">An option is unknown, lacks its value, or its value cannot be read; the message names it.</exception>
    public static PlanOptions Parse(string[] args)
    {
        var options = new PlanOptions();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length) throw new FormatException($"{args[i]} lacks a value");
            options = options.With(args[i], args[i + 1]);
        }

        return options with
        {
            Endpoints = options.Endpoints.Count > 0
                ? [.. options.Endpoints.Select(e => e with { Mttr = options.Mttr })]
                : [Endpoint("--endpoint", "openai:97.0") with { Mttr = options.Mttr }, Endpoint("--endpoint", "anthropic:98.4") with { Mttr = options.Mttr }],
        };
    }

    private PlanOptions With(string name, string value) => name switch
    {
        "--target" => this with { Target = Percent(name, value) },
        "--endpoint" => this with { Endpoints = [.. Endpoints, Endpoint(name, value)] },
        "--required" => this with { Required = Whole(name, value, 1) },
        "--beta" => this with { Beta = Share(name, value) },
        "--detect" => this with { Detection = Duration(name, value) },
        "--rescued" => this with { Rescued = Share(name, value) },
        "--mttr" => this with { Mttr = Duration(name, value) },
        "--coverage" => this with { Coverage = Share(name, value) },
        "--uncovered" => this with { Uncovered = Duration(name, value) },
        "--routing" => this with { Routing = value switch { "balanced" => PoolRouting.Balanced, "priority" => PoolRouting.Priority, _ => throw Bad(name, value, "balanced or priority") } },
        "--period" => this with { Period = Duration(name, value) },
        "--cost-endpoint" => this with { EndpointCost = Cost(name, value) },
        "--cost-beta" => this with { BetaCost = Cost(name, value) },
        "--cost-detect" => this with { DetectionCost = Cost(name, value) },
        "--cost-rescue" => this with { RescueCost = Cost(name, value) },
        "--cost-coverage" => this with { CoverageCost = Cost(name, value) },
        "--incidents" => this with { IncidentFile = value },
        "--service" => this with { Services = [.. Services, value] },
        "--impact" => this with { Impact = Whole(name, value, 0) },
        "--from" => this with { From = Time(name, value) },
        "--to" => this with { To = Time(name, value) },
        _ => throw new FormatException($"{name} is no option"),
    };

    private static PlannedEndpoint Endpoint(string name, string value)
    {
        var colon = value.LastIndexOf(':');
        return colon > 0 ? new PlannedEndpoint(value[..colon], Percent(name, value[(colon + 1)..])) : throw Bad(name, value, "NAME:AVAILABILITY");
    }

    /// <summary>A bare number is a percentage here.</summary>
    private static Availability Percent(string name, string value) =>
        Availability.TryParse(double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? value + "%" : value, out var result)
            ? result
            : throw Bad(name, value, "a percentage such as 99.95, or nines such as 3N5");

    private static double Share(string name, string value) => Number(value) is { } share and <= 1 ? share : throw Bad(name, value, "a number from 0 to 1");

    private static double Cost(string name, string value) => Number(value) ?? throw Bad(name, value, "a number that is not negative");

    private static int Whole(string name, string value, int least) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least ? n : throw Bad(name, value, $"a whole number from {least}");

    private static TimeSpan Duration(string name, string value)
    {
        var digits = value.AsSpan().TrimEnd("msdh").Length;
        double? seconds = value[digits..] switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, "d" => 86_400, _ => null };
        return Number(value[..digits]) * seconds is > 0 and < 1e10 and var total ? TimeSpan.FromSeconds(total) : throw Bad(name, value, "a time such as 20s, 5m, 1h or 30d");
    }

    private static DateTimeOffset Time(string name, string value) =>
        DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw Bad(name, value, "a time such as 2024-06-01T00:00:00Z");

    private static double? Number(string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    private static FormatException Bad(string name, string value, string expected) => new($"{name} {value}: expected {expected}");
}
