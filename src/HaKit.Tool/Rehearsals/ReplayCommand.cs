using System.CommandLine;
using HaKit.Testing;
using HaKit.Tool.Recordings;

namespace HaKit.Tool.Rehearsals;

/// <summary>Replays a recorded workload faster than it was recorded, while one server is killed and another is slowed.</summary>
internal static class ReplayCommand
{
    // The usual time per token of a model, and the longest wait that users accept. All times are divided by the speed.
    private static readonly TimeSpan Token = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var file = CommandOptions.Text("--trace", "FILE", "CSV with the columns TIMESTAMP,ContextTokens,GeneratedTokens, as the Azure LLM inference trace has them");
        var recording = RecordingFile.CreateArgument(isOptional: true);
        var pool = CommandOptions.Text("--pool", "FILE", "with RECORDING: a JSON file with the other settings, as in your configuration (default: the recorded settings)");
        var set = new Option<string[]>("--set") { HelpName = "NAME=VALUE", Description = "with RECORDING: a setting and its new value, for example Retry:MaxRetryAttempts=0; may be given several times", DefaultValueFactory = static _ => [] };
        var name = RecordingFile.CreatePoolNameOption();
        var runs = CommandOptions.CreateWhole("--runs", "N", "with RECORDING: how many times the recording is run for each of the two bounds of the forecast", 3, 2, 100);
        var speed = CommandOptions.Number("--speed", "N", "how many times faster than recorded, 1 to 100", 20, 1, 100);
        var minutes = CommandOptions.Number("--minutes", "M", "how many minutes of the trace are used, from its first line", 100_000, 0.1, 100_000);
        var streamed = CommandOptions.Number("--streamed", "SHARE", "the share of calls that ask for a stream, 0 to 1; a cut stream that ends with an exception is not a lost call", 0.25, 0, 1);
        var seed = CommandOptions.CreateWhole("--seed", "N", "the seed of all random numbers", 1);
        var single = CommandOptions.Flag("--no-failover", "makes only one attempt for each call, to show how many calls are lost without failover");
        var json = JsonOutput.CreateOption();
        var command = new Command("replay", """
            Predicts the effect of other settings from a recording, or repeats the calls of a trace against local servers.
            With RECORDING: the real pool makes the recorded calls with other settings, in virtual time. Its endpoints answer as
            in the recording. For the times in which the recording does not show the state of an endpoint, there are two runs:
            one with the endpoint down, and one with the endpoint up. Exit code 1 if the recording does not contain enough
            information for a prediction.
            With --trace: a pool of three local servers makes the calls of the trace. During the run, one server is killed and
            another is slowed down. Exit code 1 if a call was lost, an answer was not complete, or the client and the servers
            counted different numbers of requests. If a line of the trace is wrong, no call is made: the output names each wrong
            line, and the exit code is 2.
            """) { recording, pool, set, name, runs, file, speed, minutes, streamed, seed, single, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(recording) is { } recorded)
            {
                CommandOptions.ThrowIfGiven(parsed, "has no effect with a RECORDING. Leave one of them out.", file, speed, minutes, streamed, seed, single);
                var question = new WhatIfCommand.Question(recorded, parsed.GetValue(name), parsed.GetValue(pool), parsed.GetValue(set) ?? [], parsed.GetValue(runs));
                await using var answer = JsonOutput.Open(parsed, json);
                return await WhatIfCommand.RunAsync(question, answer, parsed.InvocationConfiguration.Error, cancellationToken);
            }
            if (parsed.GetValue(file) is null)
                throw new UsageException("A RECORDING or --trace is needed.");
            CommandOptions.ThrowIfGiven(parsed, "belongs to a RECORDING, and none is given. Give a RECORDING in place of --trace, or leave the option out.", pool, set, name, runs);
            var trace = Trace.Read(parsed.GetRequiredValue(file)!, TimeSpan.FromMinutes(parsed.GetValue(minutes)));
            var plan = PlanOf(trace, Path.GetFileName(parsed.GetRequiredValue(file)!), parsed.GetValue(speed)) with
            {
                Seed = parsed.GetValue(seed),
                Failover = !parsed.GetValue(single),
                StreamedShare = parsed.GetValue(streamed),
            };
            await using var figures = JsonOutput.Open(parsed, json);
            return await RehearsalRun.RunAsync(plan, figures, cancellationToken);
        });
        return command;
    }

    private static Plan PlanOf(IReadOnlyList<Arrival> trace, string name, double speed)
    {
        var duration = trace[^1].At / speed;
        return new Plan
        {
            Title = $"replay of {name} at {speed}×",
            Seed = 1,
            Failover = true,
            StreamedShare = 0,
            Duration = duration,
            Arrivals = trace.Select(a => a with { At = a.At / speed }),
            Acts = Act.Replay(duration),
            Usual = FakeFault.Latency(perToken: Token / speed),
            Slowness = 2 * Patience / speed,
            AttemptTimeout = Max(Patience / speed, TimeSpan.FromSeconds(1)),
            Deadline = Max(5 * Patience / speed, TimeSpan.FromSeconds(10)),
        };
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
