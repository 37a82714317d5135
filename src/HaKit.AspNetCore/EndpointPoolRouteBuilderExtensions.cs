using System.Runtime.CompilerServices;
using HaKit.AspNetCore;
using HaKit.AspNetCore.Dashboard;
using HaKit.AspNetCore.Heartbeats;
using HaKit.AspNetCore.Operations;
using HaKit.AspNetCore.Status;
using HaKit.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the operators' dashboard of endpoint pools, and the heartbeat of a service that other applications use as an endpoint.</summary>
public static class EndpointPoolRouteBuilderExtensions
{
    private static readonly ConditionalWeakTable<IEndpointRouteBuilder, HashSet<string>> s_mapped = [];

    /// <summary>
    /// Maps the operators' dashboard for all pools of the container at the prefix, and below it <c>status</c> (JSON), <c>events</c> (server-sent) and
    /// <c>explain</c>. Orders (drain, force down, bring up, promote, fail back) exist only if <see cref="EndpointPoolPagesOptions.OperatorPolicy"/> names a
    /// policy for the users that may give them.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">The prefix, for example <c>/ha</c>.</param>
    /// <param name="configure">Sets which users may give orders, and how much history is kept.</param>
    /// <returns>
    /// The group of all routes, so that <c>.RequireAuthorization()</c> can protect them. Without it the pages are public; they show names, addresses and
    /// states, never keys.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// Orders are on, and antiforgery, authorization or the policy was not added to the container; or the prefix is already mapped.
    /// </exception>
    /// <exception cref="ArgumentException">The prefix is blank, or an option is out of its range.</exception>
    public static IEndpointConventionBuilder MapHaEndpointPools(
        this IEndpointRouteBuilder endpoints, string prefix = "/ha", Action<EndpointPoolPagesOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        MappedPath.ThrowIfWrong(prefix, nameof(prefix), nameof(MapHaEndpointPools), "/ha");
        ThrowIfMapped(endpoints, prefix, "MapHaEndpointPools", "another prefix");
        var given = new EndpointPoolPagesOptions();
        configure?.Invoke(given);
        var options = given.Copy(); // later changes must not take effect, because they would not be validated
        options.Validate();
        var services = endpoints.ServiceProvider;
        var feed = new StatusFeed(
            () => [.. services.GetKeyedServices<HaKit.EndpointPool>(KeyedService.AnyKey)], [.. services.GetServices<HaKit.IStatusPanel>()],
            services.GetService<TimeProvider>() ?? TimeProvider.System, options, SafeLogger.Create(services.GetService<ILoggerFactory>(), "HaKit.Status"));
        var lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        var warnWhenEmpty = PageSecurity.WarnWhenEmpty(feed, prefix, services);
        // One callback makes both steps, because a token runs its callbacks in the reverse order of their registration, and the feed has no pools before its
        // start.
        lifetime.ApplicationStarted.Register(() =>
        {
            feed.Start();
            warnWhenEmpty();
        });
        lifetime.ApplicationStopping.Register(feed.Stop);
        var group = endpoints.MapGroup(prefix);
        PageSecurity.AddHeaders(group);
        lifetime.ApplicationStarted.Register(PageSecurity.WarnWhenOpen(group, prefix, services));
        DashboardPage.Map(group, options.OperatorPolicy is not null);
        StatusEndpoints.Map(group, feed);
        if (options.OperatorPolicy is { } policy)
            OperatorOrders.Map(group, feed, policy, services);
        return group;
    }

    /// <summary>
    /// Maps the heartbeat of a service that is itself an endpoint of another application's pool. The heartbeat reports whether the service is ready or
    /// draining, its load and its capacity. The HTTP probe of the other application's pool reads the heartbeat (<c>Heartbeat:Path</c>). The pool then prefers
    /// instances with less load, and sends no new calls to a draining service.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The path, for example <c>/heartbeat</c>.</param>
    /// <param name="configure">Sets what is reported. Default: draining while the application stops, and the number of requests that <see cref="CountAsHaLoad"/> counts.</param>
    /// <exception cref="InvalidOperationException">The pattern is mapped already, or an option is out of its range.</exception>
    public static IEndpointConventionBuilder MapHaHeartbeat(
        this IEndpointRouteBuilder endpoints, string pattern = "/heartbeat", Action<ServiceHeartbeatOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        MappedPath.ThrowIfWrong(pattern, nameof(pattern), nameof(MapHaHeartbeat), "/heartbeat");
        ThrowIfMapped(endpoints, pattern, "MapHaHeartbeat", "another pattern");
        var given = new ServiceHeartbeatOptions();
        configure?.Invoke(given);
        var options = given.Copy(); // later changes must not take effect, because they would not be validated
        options.Validate();
        var stopping = endpoints.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        return endpoints.MapGet(pattern, context => ServiceHeartbeatAnswer.WriteAsync(context, options, stopping));
    }

    // Two routes with the same pattern would fail at their first request, with a message that does not name them.
    private static void ThrowIfMapped(IEndpointRouteBuilder endpoints, string pattern, string method, string other)
    {
        var mapped = s_mapped.GetOrCreateValue(endpoints);
        lock (mapped)
        {
            if (!mapped.Add($"{method} {pattern.Trim('/')}"))
                throw new InvalidOperationException($"{method} has mapped '{pattern}' already. Map it once, or give {other}.");
        }
    }

    /// <summary>Counts the running requests of these routes. <see cref="MapHaHeartbeat"/> reports their number as the load.</summary>
    /// <typeparam name="TBuilder">The type of the routes' builder.</typeparam>
    /// <param name="builder">The routes that do the work.</param>
    public static TBuilder CountAsHaLoad<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Add(static route =>
        {
            var next = route.RequestDelegate ?? throw new InvalidOperationException($"The route '{route.DisplayName}' has nothing to run.");
            route.RequestDelegate = context => RunningRequests.CountAsync(next, context);
        });
        return builder;
    }
}
