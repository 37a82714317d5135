using System.Globalization;
using System.Text;
using static HaKit.Testing.Tests.SimulationTests;

namespace HaKit.Testing.Tests;

/// <summary>
/// The recorded hour as streams that are cut, with and without continuation, in virtual time: docs/evidence/streams.md.
/// HAKIT_EVIDENCE=1 dotnet run -c Release --project tests/HaKit.Testing.Tests -- -class HaKit.Testing.Tests.CutStreamsTests
/// </summary>
public sealed class CutStreamsTests
{
    private const string Command = "HAKIT_EVIDENCE=1 dotnet run -c Release --project tests/HaKit.Testing.Tests -- -class HaKit.Testing.Tests.CutStreamsTests";

    private static readonly ServiceModel s_service = ServiceModel.Tokens(prefillPerSecond: 8000, perSecond: 50);

    // A stream has at most twenty contents, so the cuts are at the beginning, in the middle and near the end.
    private static readonly int[] s_places = [1, 5, 10, 15, 19];

    private static readonly (string Name, Func<Simulation> World)[] s_worlds =
    [
        ("three endpoints, each cuts 5 %", () => Cutting(3, FakeFault.CutAfter)),
        ("two endpoints, each cuts 5 %", () => Cutting(2, FakeFault.CutAfter)),
        ("three endpoints, each sends an error event in 5 %", () => Cutting(3, static n => FakeFault.ErrorEventAfter(n))),
        ("three endpoints, each falls silent in 5 %", () => Cutting(3, FakeFault.SilentAfter)),
        ("three endpoints, each cuts 5 %, and one is down for ten minutes", () => Cutting(3, FakeFault.CutAfter).Fault("e0", FakeFault.Refused, from: S(600), until: S(1200))),
        ("three endpoints, of which one cuts 30 %", () => new Simulation().Endpoints(3, s_service).Fault("e0", FakeFault.CutAfter(10), probability: 0.3)),
    ];

    [Fact]
    public void Of_the_recorded_hour_one_stream_in_a_thousand_at_most_is_lost_to_cuts()
    {
        var trace = Path.Combine(Root().Parent!.FullName, "shared", "data", "azure-llm-conv-2023.csv");
        Assert.SkipUnless(File.Exists(trace), "The recorded workload is not beside the repository.");
        var page = Path.Combine(Root().FullName, "docs", "evidence", "streams.md");
        var lines = File.ReadAllLines(trace);
        var tokens = lines.Skip(1).Sum(static l => l.Split(',') is [_, var input, var output] ? long.Parse(input, CultureInfo.InvariantCulture) + long.Parse(output, CultureInfo.InvariantCulture) : 0);
        if (Environment.GetEnvironmentVariable("HAKIT_EVIDENCE") == "1")
            File.WriteAllText(page, PageOf(lines, tokens));
        var without = Run(s_worlds[0].World(), lines, StreamContinuation.Off);
        var with = Run(s_worlds[0].World(), lines, StreamContinuation.On);
        ((double)Cut(without) / without.Calls).Should().BeApproximately(0.05, 0.005);
        ((double)Cut(with) / with.Calls).Should().BeLessThan(0.001);
        ((double)with.ContinuedTokens / tokens).Should().BeLessThan(0.06);
        with.SeamTime(0.5).Should().BeLessThan(S(0.5));
    }

    private static Simulation Cutting(int endpoints, Func<int, FakeFault> fault)
    {
        var simulation = new Simulation().Endpoints(endpoints, s_service);
        foreach (var place in s_places)
            simulation.FaultOfAll(fault(place), probability: 0.05 / s_places.Length);
        return simulation;
    }

    private static string PageOf(string[] trace, long tokens)
    {
        var text = new StringBuilder(
            $"""
            # Streams that are cut, with and without continuation

            The recorded hour of real traffic ({trace.Length - 1:N0} requests, with the tokens of its prompts and answers) is replayed in virtual time with a fixed seed. Every request is a stream. This command writes the figures:

                {Command}

            Each cut comes after 1, 5, 10, 15 or 19 of 20 pieces of the answer. The rest of a continued answer is cut as often as any other stream. An endpoint reads 8,000 tokens per second and writes 50. Extra tokens are the prompt and the delivered text that the next endpoint reads again, in percent of all tokens of the hour. The time at the seam is the time from the cut to the first content of the rest. A silence counts as a cut after `Streaming:IdleTimeout` (30 s). The time at the seam does not include these 30 s.

            | world | cut and lost, without continuation | cut and lost, with continuation | lost before the first content, without continuation | lost before the first content, with continuation | answers with a seam | extra tokens | time at the seam, p50 | p99 |
            |---|--:|--:|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var world in s_worlds)
            text.Append(Row(world, trace, tokens));
        text.Append(
            """

            An answer that was lost with continuation had been cut three times. Continuation does not affect answers that are lost before the first content. No content was delivered twice, and no incomplete answer looked complete: each run counts such answers, and the counts are 0.

            """);
        return text.ToString().ReplaceLineEndings("\n");
    }

    private static string Row((string Name, Func<Simulation> World) world, string[] trace, long tokens)
    {
        var without = Run(world.World(), trace, StreamContinuation.Off);
        var with = Run(world.World(), trace, StreamContinuation.On);
        return string.Create(CultureInfo.InvariantCulture, $"| {world.Name} | {Lost(without)} | {Lost(with)} | {LostBefore(without)} | {LostBefore(with)} | {with.Continued:N0} | {100.0 * with.ContinuedTokens / tokens:0.00} % | {with.SeamTime(0.5).TotalSeconds:0.00} s | {with.SeamTime(0.99).TotalSeconds:0.00} s |\n");
    }

    private static string Lost(SimulationResult result) => string.Create(CultureInfo.InvariantCulture, $"{Cut(result):N0} ({100.0 * Cut(result) / result.Calls:0.000} %)");

    private static long LostBefore(SimulationResult result) => result.Calls - result.Succeeded - Cut(result);

    private static long Cut(SimulationResult result) => result.Failures.GetValueOrDefault(nameof(PartialResponseException));

    private static SimulationResult Run(Simulation simulation, string[] trace, StreamContinuation continuation)
    {
        var result = simulation.Streams(1).Options(o =>
        {
            o.Streaming.Continuation = continuation;
            foreach (var endpoint in o.Endpoints)
                endpoint.Continuation = Continuation.AssistantPrefix;
        }).Run(Workload.Trace(trace), S(3600));
        result.Unfinished.Should().Be(0);
        result.Failures.Should().NotContainKeys("Replayed", "LookedWhole");
        return result;
    }

    private static DirectoryInfo Root()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "HaKit.sln")))
            root = root.Parent;
        return root;
    }
}
