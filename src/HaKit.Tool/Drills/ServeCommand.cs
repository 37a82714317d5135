using System.CommandLine;
using System.Globalization;
using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>Serves scripted upstreams, without faults or with one fault after another, until it is interrupted.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var upstreams = new DrillUpstreamOptions();
        var length = CommandOptions.ShortDuration("--length", "how long a fault lasts, and how long the upstreams are healthy between two faults (default 5s)");
        var rounds = CommandOptions.CreateWhole("--rounds", "N", "how many times the faults are played; 0: until the command is interrupted", 0);
        var seed = CommandOptions.CreateWhole("--seed", "N", "the seed of all random numbers", 1);
        var command = new Command("serve", """
            Starts only the upstreams of the drill.
            They answer in the dialects of OpenAI and Anthropic, with plain answers and with streams.
            With --faults, the upstreams play these faults in turn, repeatedly. Without --faults, they stay healthy. All
            upstreams give the same answer to the same prompt.
            The command runs until it is interrupted (exit code 130), or until the number of --rounds is reached.
            """) { upstreams.Ports, upstreams.Faults, length, rounds, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var faults = parsed.GetValue(upstreams.Faults) is { } names ? DrillUpstreamOptions.FaultsOf(names) : [];
            if (parsed.GetValue(upstreams.Faults) is null)
                CommandOptions.ThrowIfGiven(parsed, "has no effect without --faults. Name the faults, or leave it out.", length, rounds);
            var ports = DrillUpstreamOptions.PortsOf(parsed.GetValue(upstreams.Ports));
            var output = parsed.InvocationConfiguration.Output;
            var clock = new DrillClock();
            await using var servers = await DrillUpstreams.StartAsync(ports, parsed.GetValue(seed), clock, cancellationToken);
            foreach (var server in servers.Servers)
                await output.WriteLineAsync($"{server.Name}: {server.OpenAIAddress} (OpenAI), {server.Address} (Anthropic)");
            if (faults.Count == 0)
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            var lasts = parsed.GetValue(length) ?? TimeSpan.FromSeconds(5);
            for (var round = 1; parsed.GetValue(rounds) == 0 || round <= parsed.GetValue(rounds); round++)
                await GoThroughAsync(faults, lasts, servers, clock, output, cancellationToken);
            return HakitTool.Good;
        });
        return command;
    }

    private static async Task GoThroughAsync(
        IReadOnlyList<DrillFault> faults, TimeSpan length, DrillUpstreams servers, DrillClock clock, TextWriter output, CancellationToken cancellationToken)
    {
        for (var i = 0; i < faults.Count; i++)
        {
            await Task.Delay(length, cancellationToken);
            await TellAsync($"{faults[i].Name} begins: {faults[i].Description}; first struck: {servers.Servers[i % servers.Servers.Count].Name}");
            await servers.PlayAsync(faults[i], length, i % servers.Servers.Count, cancellationToken);
            await TellAsync($"{faults[i].Name} is over; {servers.Requests.Count} requests so far");
            servers.Strikes.Clear();
        }

        Task TellAsync(string what) => output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{clock.Now.TotalSeconds,8:0.0} s  {what}"));
    }
}
