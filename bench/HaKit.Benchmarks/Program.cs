using BenchmarkDotNet.Running;
using HaKit.Benchmarks;

// Measurements of a whole process are separate commands. BenchmarkDotNet runs all other benchmarks.
switch (args)
{
    case ["heartbeat-load", ..]:
        return await HeartbeatLoad.RunAsync(args[1..]);
    case ["heartbeat-server", var port]:
        return await HeartbeatLoad.ServeAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
    case ["guard"]:
        return Guard.Run();
    case ["figures", ..]:
        return await Figures.RunAsync(args[1..]);
    case ["soak", ..]:
        return await Soak.RunAsync(args[1..]);
    case ["telemetry-load", ..]:
        return await TelemetryLoad.RunAsync(args[1..]);
    case ["compare", ..]:
        return await Comparison.RunAsync(args[1..]);
    case ["answer-server"]:
        return await AnswerServer.ServeAsync();
    case ["dashboard-load", ..]:
        return await DashboardLoad.RunAsync(args[1..]);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
