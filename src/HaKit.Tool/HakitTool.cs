using System.CommandLine;
using System.CommandLine.Help;
using HaKit.DependencyInjection;

namespace HaKit.Tool;

/// <summary>Parses the arguments and runs the command that they name.</summary>
internal static class HakitTool
{
    /// <summary>The exit code of a command that did its work and found no problem.</summary>
    public const int Good = 0;

    /// <summary>The exit code of a command that did its work and found a problem.</summary>
    public const int Bad = 1;

    /// <summary>The exit code of a command that could not start.</summary>
    public const int NotRun = 2;

    /// <summary>The exit code of a command that ended because of a mistake in its own code.</summary>
    public const int Unexpected = 70;

    /// <summary>The exit code of a command that the user interrupted.</summary>
    public const int Interrupted = 130;

    private const string ExitCodes = """
        Exit codes:
          0    the command has run and found no problem
          1    the command has run and found a problem; its description lists these problems
          2    the command has not run, because an option or a file is wrong
          70   an error in hakit itself; the message contains the address for a report
          130  the command was interrupted

        """;

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var parsed = Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var wrong in parsed.Errors)
                await error.WriteLineAsync(wrong.Message + HintOf(parsed, wrong));
            await error.WriteLineAsync($"{PathOf(parsed.CommandResult)} --help lists the options and their defaults.");
            return NotRun;
        }
        if (NamedFiles.FindSame(parsed) is { } same)
        {
            await error.WriteLineAsync(same);
            return NotRun;
        }
        try
        {
            var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Interrupted.");
            return Interrupted;
        }
#pragma warning disable CA1031 // An exception that leaves the process prints a stack trace and exit code 134, which no script and no user expects.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var failure = CommandFailure.FromException(exception);
            await error.WriteLineAsync(failure.Message);
            return failure.ExitCode;
        }
    }

    // A word that is neither a command nor an option is usually a misspelt command or option.
    private static string HintOf(ParseResult parsed, System.CommandLine.Parsing.ParseError wrong)
    {
        if (parsed.UnmatchedTokens.FirstOrDefault(token => wrong.Message.Contains($"'{token}'", StringComparison.Ordinal)) is not { } word)
            return "";
        var command = parsed.CommandResult.Command;
        return NearName.Hint(word, command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name)));
    }

    public static ParseResult Parse(string[] args) => CreateRoot().Parse(args);

    private static RootCommand CreateRoot()
    {
        var root = new RootCommand("Failover drills, scripted AI upstreams, availability plans and simulations for clients of AI services.");
        foreach (var command in Commands.All())
            root.Subcommands.Add(command);
        var help = root.Options.OfType<HelpOption>().Single();
        var standard = (HelpAction)help.Action!;
        standard.MaxWidth = 120;
        help.Action = new HelpWithExitCodes(standard);
        root.SetAction(((HelpWithExitCodes)help.Action).Invoke);
        return root;
    }

    private static string PathOf(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "hakit";

    private sealed class HelpWithExitCodes(HelpAction standard) : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            // The list of commands shows one line per command; the help of a command shows its whole description.
            if (parseResult.CommandResult.Command is RootCommand root)
            {
                foreach (var command in root.Subcommands)
                    command.Description = command.Description?.Split('\n')[0].TrimEnd();
            }

            var result = standard.Invoke(parseResult);
            parseResult.InvocationConfiguration.Output.Write(ExitCodes);
            return result;
        }
    }
}
