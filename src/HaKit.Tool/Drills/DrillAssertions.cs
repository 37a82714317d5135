using System.Text.Json;
using System.Text.Json.Serialization;

namespace HaKit.Tool.Drills;

/// <summary>The requirements of a drill in a build pipeline. Every member is optional. A requirement of one fault overrides the general requirement.</summary>
internal sealed record DrillAssertions
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Gets the smallest accepted share of right answers, 0 to 1.</summary>
    public double? Success { get; init; }

    /// <summary>Gets the largest accepted number of wrong or incomplete answers.</summary>
    public int? WrongOrHalf { get; init; }

    /// <summary>
    /// Gets the largest accepted median of the additional time of calls that met the fault, in milliseconds. The two members below limit the 99th percentile
    /// and the longest time.
    /// </summary>
    public double? AddedP50 { get; init; }

    public double? AddedP99 { get; init; }
    public double? AddedLongest { get; init; }

    /// <summary>Gets the longest accepted time from the start of the fault until the application has recovered, in seconds.</summary>
    public double? WellAgainSeconds { get; init; }

    /// <summary>Gets the largest accepted average number of requests that reach the upstreams for one call.</summary>
    public double? Amplification { get; init; }

    /// <summary>Gets the largest accepted number of complete answers beyond the one answer that each right call needs.</summary>
    public long? Duplicates { get; init; }

    /// <summary>Gets the largest accepted number of requests that were sent earlier than a refusal allowed.</summary>
    public int? EarlySends { get; init; }

    /// <summary>Gets the requirements of single faults, by the fault's name.</summary>
    public Dictionary<string, DrillAssertions>? Faults { get; init; }

    /// <exception cref="UsageException">The file cannot be read, or has an unknown member.</exception>
    public static DrillAssertions Read(string file)
    {
        try
        {
            var read = JsonSerializer.Deserialize<DrillAssertions>(File.ReadAllText(file), Strict) ?? throw new JsonException("it is empty");
            return read.FindMistake() is { } mistake ? throw new UsageException($"--assert is '{file}', which cannot be used: {mistake}") : read;
        }
        catch (JsonException wrong)
        {
            var at = wrong.LineNumber is { } line ? $" (line {line + 1}{(wrong.Path is { Length: > 1 } path ? $", {path}" : "")})" : "";
            throw new UsageException($"--assert is '{file}', which cannot be used{at}: {wrong.Message} An object with numbers is needed. Its members may be {Members}.");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--assert is '{file}', which cannot be used: {wrong.Message}");
        }
    }

    private const string Members = "success, wrongOrHalf, addedP50, addedP99, addedLongest, wellAgainSeconds, amplification, duplicates, earlySends and faults";

    private string? FindMistake(bool isOfFault = false)
    {
        if (Success is < 0 or > 1)
            return FormattableString.Invariant($"success is {Success}: a share from 0 to 1 is needed, such as 0.999.");
        if (Amplification is < 1)
            return FormattableString.Invariant($"amplification is {Amplification}: at least 1 is needed, because each call makes one request.");
        double?[] others = [WrongOrHalf, AddedP50, AddedP99, AddedLongest, WellAgainSeconds, Duplicates, EarlySends];
        if (others.Any(static value => value < 0))
            return "a requirement is negative: numbers from 0 are needed.";
        if (!isOfFault && Success is null && Amplification is null && others.All(static value => value is null) && Faults is not { Count: > 0 })
            return $"it requires nothing. Its members may be {Members}.";
        foreach (var (name, of) in Faults ?? [])
        {
            if (HaKit.Testing.DrillFaults.All.All(f => f.Name != name))
                return $"there is no fault '{name}'. There are {string.Join(", ", HaKit.Testing.DrillFaults.All.Select(static f => f.Name))}.";
            if (of?.FindMistake(isOfFault: true) is { } mistake)
                return $"faults:{name}: {mistake}";
        }
        return null;
    }

    /// <summary>Returns the requirements that the report misses, one sentence each. Empty when it meets all of them.</summary>
    public IReadOnlyList<string> Misses(DrillReport report)
    {
        List<string> misses = report.IsVoid ? [FormattableString.Invariant($"the run is void: the generator was late by {report.LagP99:0.0} ms (p99)")] : [];
        foreach (var unknown in (Faults?.Keys ?? Enumerable.Empty<string>()).Where(name => report.Faults.All(f => f.Name != name)))
            misses.Add($"{unknown}: no such fault was drilled");
        foreach (var fault in report.Faults)
        {
            var own = Faults?.GetValueOrDefault(fault.Name);
            AtLeast("success", fault.Success, own?.Success ?? Success);
            AtMost("wrongOrHalf", fault.Wrong + fault.Half, own?.WrongOrHalf ?? WrongOrHalf);
            AtMost("addedP50", fault.AddedP50, own?.AddedP50 ?? AddedP50);
            AtMost("addedP99", fault.AddedP99, own?.AddedP99 ?? AddedP99);
            AtMost("addedLongest", fault.AddedLongest, own?.AddedLongest ?? AddedLongest);
            AtMost("wellAgainSeconds", fault.WellAgainSeconds ?? double.PositiveInfinity, own?.WellAgainSeconds ?? WellAgainSeconds);
            AtMost("amplification", fault.Amplification, own?.Amplification ?? Amplification);
            AtMost("duplicates", fault.Duplicates, own?.Duplicates ?? Duplicates);
            AtMost("earlySends", fault.EarlySends, own?.EarlySends ?? EarlySends);

            void AtLeast(string what, double value, double? least)
            {
                if (value < least)
                    misses.Add(FormattableString.Invariant($"{fault.Name}: {what} is {value:0.####}, at least {least} is asserted"));
            }

            void AtMost(string what, double? value, double? most)
            {
                if (value > most)
                    misses.Add(FormattableString.Invariant($"{fault.Name}: {what} is {value:0.##}, at most {most} is asserted"));
            }
        }
        return misses;
    }
}
