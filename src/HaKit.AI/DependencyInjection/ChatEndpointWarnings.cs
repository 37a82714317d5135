using HaKit.Telemetry;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace HaKit.AI.DependencyInjection;

/// <summary>Finds probable mistakes in the chat clients of endpoints, and writes them to the log.</summary>
internal static partial class ChatEndpointWarnings
{
    /// <summary>Warns if the client of an endpoint calls functions itself. If a call moves to another endpoint, the functions run again.</summary>
    public static void WarnOfFunctions(IChatClient client, string pool, string endpoint, ILoggerFactory? loggers)
    {
        if (client.GetService(typeof(FunctionInvokingChatClient)) is not null)
            CallsFunctions(SafeLogger.Create(loggers, "HaKit.AI"), pool, endpoint);
    }

    [LoggerMessage(3, LogLevel.Warning, "Pool {Pool}: the chat client of endpoint '{Endpoint}' calls functions itself, so a function runs again if the call moves to another endpoint. Call UseFunctionInvocation on the result of AddHaChatClient in place of the endpoint's client.")]
    private static partial void CallsFunctions(ILogger logger, string pool, string endpoint);
}
