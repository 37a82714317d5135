using System.CommandLine;
using HaKit.Tool.Batches;
using HaKit.Tool.Drills;
using HaKit.Tool.Planning;
using HaKit.Tool.Recordings;
using HaKit.Tool.Rehearsals;
using HaKit.Tool.Simulations;
using HaKit.Tool.Tuning;
using HaKit.Tool.Vaults;

namespace HaKit.Tool;

/// <summary>The list of commands. To add a command, write a class in its own file and add a line here.</summary>
internal static class Commands
{
    public static IEnumerable<Command> All() =>
    [
        DrillCommand.Create(),
        ServeCommand.Create(),
        PlanCommand.Create(),
        SimulateCommand.Create(),
        ReplayCommand.Create(),
        RecordCommand.Create(),
        TuneCommand.Create(),
        ReportCommand.Create(),
        VaultCommand.Create(),
        BatchCommand.Create(),
    ];
}
