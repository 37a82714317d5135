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

/// <summary>The commands, one line each. A new command is a class in a file of its own and a line here.</summary>
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
