using HaKit.Attempts;
using Microsoft.Extensions.Logging;

namespace HaKit.Http;

/// <summary>
/// A probable mistake in the address of an endpoint. The address may still be right, so the mistake is logged and the address is not refused.
/// </summary>
internal enum AddressWarning
{
    /// <summary>The endpoint has neither an address nor a client.</summary>
    NoAddress,

    /// <summary>The address has a user name or a password.</summary>
    UserNotSent,

    /// <summary>The address is one of Azure's deployments, without the version in its query.</summary>
    NoApiVersion,

    /// <summary>The address has a key in its query.</summary>
    KeyInQuery,
}

/// <summary>Finds probable mistakes in the addresses of endpoints, and writes them to the log.</summary>
internal static partial class AddressWarnings
{
    /// <summary>Finds the probable mistakes of an endpoint's address.</summary>
    public static IEnumerable<AddressWarning> Find(PoolEndpoint endpoint)
    {
        if (endpoint is { Address: null, Client: null })
            yield return AddressWarning.NoAddress;
        if (endpoint.Address is { UserInfo.Length: > 0 })
            yield return AddressWarning.UserNotSent;
        if (endpoint.Address is { } address && EndpointAddress.LacksApiVersion(address))
            yield return AddressWarning.NoApiVersion;
        if (endpoint.Address is { Query: { Length: > 1 } query } && CredentialNames.Default.IsIn(query))
            yield return AddressWarning.KeyInQuery;
    }

    /// <summary>Writes one warning.</summary>
    public static void Write(ILogger logger, string pool, string endpoint, AddressWarning warning)
    {
        switch (warning)
        {
            case AddressWarning.NoAddress:
                NoAddress(logger, pool, endpoint);
                break;
            case AddressWarning.UserNotSent:
                UserNotSent(logger, pool, endpoint);
                break;
            case AddressWarning.KeyInQuery:
                KeyInQuery(logger, pool, endpoint);
                break;
            default:
                NoApiVersion(logger, pool, endpoint);
                break;
        }
    }

    [LoggerMessage(26, LogLevel.Warning, "Pool {Pool}: the Address of endpoint '{Endpoint}' has a key in its query, which proxies and servers write to their logs. Give the key as Credential.")]
    private static partial void KeyInQuery(ILogger logger, string pool, string endpoint);

    [LoggerMessage(12, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} has neither an address nor a client, so no call over HTTP goes to it. Set Address of the endpoint.")]
    private static partial void NoAddress(ILogger logger, string pool, string endpoint);

    [LoggerMessage(23, LogLevel.Warning, "Pool {Pool}: the Address of endpoint '{Endpoint}' has a user name or password, which is not sent. Give the key as Credential, or as a header in Headers.")]
    private static partial void UserNotSent(ILogger logger, string pool, string endpoint);

    [LoggerMessage(24, LogLevel.Warning, "Pool {Pool}: the Address of endpoint '{Endpoint}' is one of Azure's deployments and has no api-version, without which Azure answers 404. Append ?api-version=2024-10-21, or write the address that ends with /openai/v1.")]
    private static partial void NoApiVersion(ILogger logger, string pool, string endpoint);
}
