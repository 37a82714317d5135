namespace HaKit.Sample;

/// <summary>
/// Finds the command that the arguments name. Exit codes: 0 success, 1 the command found a problem, 2 the command could not start, 130 interrupted.
/// </summary>
internal static class Commands
{
    private const string Usage = """
        HaKit.Sample.Console [command] [options]

          drill      calls three local servers through a pool while they are killed, slowed and throttled (the default)
          chat       a conversation with several providers, of which you may kill the one that serves
          recognize  an image posted to a pool of recognisers, the first of which is dead

        Drills of your own gateway or application, plans and simulations are the tool's: dotnet tool install -g HaKit.Tool, then hakit --help.
        A command's own options: HaKit.Sample.Console <command> --help
        """;

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken, TextReader? input = null)
    {
        var hasCommand = args is [var first, ..] && !first.StartsWith('-');
        var rest = hasCommand ? args[1..] : args;
        try
        {
            switch (hasCommand ? args[0] : "drill")
            {
                case "drill" when !hasCommand && args is ["--help"] or ["-h"]:
                case "help":
                    await output.WriteLineAsync(Usage);
                    return 0;
                case "drill":
                    return await DrillCommand.RunAsync(rest, output, cancellationToken);
                case "chat":
                    return await Chat.ChatCommand.RunAsync(rest, input ?? Console.In, output, cancellationToken);
                case "recognize":
                    return await Chat.RecognizeCommand.RunAsync(rest, output, error, cancellationToken);
                default:
                    throw new UsageException($"There is no command '{args[0]}'.{Environment.NewLine}{Environment.NewLine}{Usage}");
            }
        }
        catch (UsageException wrong)
        {
            await error.WriteLineAsync(wrong.Message);
            return 2;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Interrupted.");
            return 130;
        }
    }
}
