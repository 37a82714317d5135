using System.Data.Common;
using System.Net.Sockets;
using System.Reflection;
using HaKit.Batch;
using HaKit.Continuity;
using Microsoft.Extensions.Options;

namespace HaKit.Tool;

/// <summary>
/// Contains the exit code and the text for a command that ended with an exception. Errors of servers, networks and files are expected: the user can correct
/// them. Any other exception is a mistake in HaKit, so the text contains the address for a report. Immutable.
/// </summary>
internal readonly record struct CommandFailure(int ExitCode, string Message)
{
    public static CommandFailure FromException(Exception exception) => exception switch
    {
        AggregateException { InnerExceptions: [var only] } => FromException(only),
        HttpRequestException { InnerException: EndpointPoolException pool } => FromException(pool),
        UsageException or FileNotFoundException or DirectoryNotFoundException or PathTooLongException or UnauthorizedAccessException or InvalidDataException or OptionsValidationException =>
            new(HakitTool.NotRun, exception.Message),
        NoEndpointAvailableException none => new(HakitTool.Bad, string.Join(Environment.NewLine, none.Endpoints.Select(static e => $"  {e}").Prepend(none.Message))),
        EndpointPoolException or EndpointFaultException or HttpRequestException or IOException or SocketException or DbException or TimeoutException or OperationCanceledException =>
            new(HakitTool.Bad, exception.Message),
        VaultException or BatchStoppedException or BatchChangedException => new(HakitTool.Bad, exception.Message),
        _ => new(HakitTool.Unexpected, Describe(exception)),
    };

    private static string Describe(Exception exception)
    {
        var place = exception.TargetSite is { } method ? $" in {method.DeclaringType?.FullName}.{method.Name}" : "";
        return $"An error in hakit: {exception.GetType().Name}{place}: {exception.Message} Please report it at {Repository}/issues, with the command and this text.";
    }

    private static string Repository => typeof(CommandFailure).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(static a => a.Key == "RepositoryUrl")?.Value ?? "the repository of HaKit";
}
