using HaKit.AspNetCore.Status;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace HaKit.AspNetCore.Dashboard;

/// <summary>
/// Protects the pages: adds security headers to every answer, and logs a warning when other machines can reach the pages without authorization.
/// </summary>
internal static partial class PageSecurity
{
    private const string ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'self'; form-action 'none'; frame-ancestors 'self'";

    /// <summary>Adds the headers to every answer of the group.</summary>
    public static void AddHeaders(RouteGroupBuilder group) => ((IEndpointConventionBuilder)group).Add(static route =>
    {
        if (route.RequestDelegate is not { } next)
            return;
        route.RequestDelegate = context =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "SAMEORIGIN";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            return next(context);
        };
    });

    /// <summary>
    /// Logs a warning, after the server has started to listen, when a page of the group requires no authorization and can be reached from another machine.
    /// </summary>
    /// <param name="group">The pages.</param>
    /// <param name="prefix">The prefix of the pages.</param>
    /// <param name="services">The application's services.</param>
    /// <returns>A function to call when the application has started.</returns>
    public static Action WarnWhenOpen(RouteGroupBuilder group, string prefix, IServiceProvider services)
    {
        var isAnonymous = false;
        var isUndecided = false;
        // This convention runs after all other conventions, because the application calls RequireAuthorization after the mapping.
        ((IEndpointConventionBuilder)group).Finally(route =>
        {
            isAnonymous |= route.Metadata.OfType<IAllowAnonymous>().Any();
            isUndecided |= !NeedsAuthorization(route.Metadata);
        });
        return () =>
        {
            _ = services.GetService<EndpointDataSource>()?.Endpoints; // reading the property builds the endpoints
            // The fallback policy protects pages without any rule of their own. It does not protect pages that allow anonymous users.
            if (!isAnonymous && !(isUndecided && services.GetService<IOptions<AuthorizationOptions>>()?.Value.FallbackPolicy is null))
                return;
            var addresses = services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
            if (addresses.FirstOrDefault(static a => !IsLoopback(a)) is { } address)
                LogOpenPage((services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger("HaKit.Dashboard"), prefix, address);
        };
    }

    /// <summary>Logs a warning when the pages have nothing to show: neither a pool nor a panel (<see cref="IStatusPanel"/>).</summary>
    /// <param name="feed">The source of the pages' content.</param>
    /// <param name="prefix">The prefix of the pages.</param>
    /// <param name="services">The application's services.</param>
    /// <returns>A function to call when the application has started.</returns>
    public static Action WarnWhenEmpty(StatusFeed feed, string prefix, IServiceProvider services) => () =>
    {
        if (!feed.Pools.Any() && !services.GetServices<IStatusPanel>().Any())
            LogEmptyPage((services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger("HaKit.Status"), prefix);
    };

    private static bool NeedsAuthorization(IList<object> metadata) =>
        metadata.OfType<IAuthorizeData>().Any() || metadata.OfType<AuthorizationPolicy>().Any();

    // The values may also be "http://+:5000" or "http://*:5000", which are not URIs.
    internal static bool IsLoopback(string address) => BindingAddress.Parse(address) is var parsed
        && (parsed.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || parsed.IsUnixPipe
            || System.Net.IPAddress.TryParse(parsed.Host.Trim('[', ']'), out var ip) && System.Net.IPAddress.IsLoopback(ip));

    [LoggerMessage(44, LogLevel.Warning, "The dashboard at {Prefix}, which MapHaEndpointPools has mapped, has no endpoint pool to show. AddHaEndpointPool registers one.")]
    private static partial void LogEmptyPage(ILogger logger, string prefix);

    [LoggerMessage(41, LogLevel.Warning, "The dashboard at {Prefix} needs no authorization and is reachable at {Address}: other machines can see names, addresses and states of all endpoints. Add .RequireAuthorization() to MapHaEndpointPools.")]
    private static partial void LogOpenPage(ILogger logger, string prefix, string address);
}
