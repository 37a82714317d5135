using HaKit.AspNetCore.Status;
using HaKit.Peers;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace HaKit.AspNetCore.Operations;

/// <summary>The data that the page needs to give an order.</summary>
internal sealed record TokenView(string Header, string Token, string? User);

/// <summary>The result of an order: accepted, or refused with a reason.</summary>
internal sealed record OrderView(bool Done, string Text);

/// <summary>
/// Executes the orders of operators. Only users that the policy admits may give orders, and only from the page itself, which sends the antiforgery token that
/// it has fetched.
/// </summary>
internal sealed partial class OperatorOrders(StatusFeed feed, IAntiforgery antiforgery, ILogger logger)
{
    public static void Map(RouteGroupBuilder group, StatusFeed feed, string policy, IServiceProvider services)
    {
        if (services.GetService<IAuthorizationPolicyProvider>() is not { } policies)
            throw new InvalidOperationException($"MapHaEndpointPools has the OperatorPolicy '{policy}', so orders need authorization: add it with services.AddAuthorization(o => o.AddPolicy(\"{policy}\", …)).");
        var antiforgery = services.GetService<IAntiforgery>()
            ?? throw new InvalidOperationException($"MapHaEndpointPools has the OperatorPolicy '{policy}', so orders need antiforgery: add it with services.AddAntiforgery().");
        // Only the standard policy provider is asked here, because a custom provider may need more than the container.
        if (policies is DefaultAuthorizationPolicyProvider && services.GetRequiredService<IOptions<AuthorizationOptions>>().Value.GetPolicy(policy) is null)
            throw new InvalidOperationException($"OperatorPolicy is '{policy}', and there is no such policy: add it with services.AddAuthorization(o => o.AddPolicy(\"{policy}\", …)).");
        var orders = new OperatorOrders(feed, antiforgery, (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger("HaKit.Operators"));
        group.MapGet("/token", orders.TokenAsync).RequireAuthorization(policy);
        group.MapPost("/pools/{pool}/endpoints/{endpoint}/{order}", orders.EndpointAsync).RequireAuthorization(policy);
        group.MapPost("/pools/{pool}/{order}", orders.PoolAsync).RequireAuthorization(policy);
    }

    private Task TokenAsync(HttpContext context)
    {
        var tokens = antiforgery.GetAndStoreTokens(context);
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            new TokenView(tokens.HeaderName!, tokens.RequestToken!, context.User.Identity?.Name), StatusJson.Default.TokenView, cancellationToken: context.RequestAborted);
    }

    private Task EndpointAsync(HttpContext context)
    {
        var name = Value(context, "endpoint");
        return OrderAsync(context, name, async (pool, order) =>
        {
            switch (order)
            {
                case "drain":
                    var drain = pool.DrainAsync(name, NoteOf(context));
                    if (drain.IsFaulted)
                        await drain.ConfigureAwait(false);
                    else
                        ObserveInBackground(drain);
                    return true;
                case "force-down":
                    await pool.ForceDownAsync(name, NoteOf(context)).ConfigureAwait(false);
                    return true;
                case "bring-up":
                    await pool.BringUpAsync(name, NoteOf(context)).ConfigureAwait(false);
                    return true;
                default:
                    return false;
            }
        });
    }

    private Task PoolAsync(HttpContext context) => OrderAsync(context, $"tier {context.Request.Query["tier"]}", async (pool, order) =>
    {
        switch (order)
        {
            case "promote":
                if (!int.TryParse(context.Request.Query["tier"], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var tier))
                    throw new FormatException("tier");
                await pool.PromoteAsync(tier, NoteOf(context)).ConfigureAwait(false);
                return true;
            case "fail-back":
                await pool.FailBackAsync(NoteOf(context)).ConfigureAwait(false);
                return true;
            default:
                return false;
        }
    });

    private static OrderNote NoteOf(HttpContext context) => new(context.User.Identity?.Name ?? "operator", context.Request.Query["reason"] is [{ Length: > 0 } reason] ? reason : null);

    private async Task OrderAsync(HttpContext context, string subject, Func<EndpointPool, string, Task<bool>> give)
    {
        if (!await antiforgery.IsRequestValidAsync(context).ConfigureAwait(false))
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "The antiforgery token is missing or wrong: reload the page.").ConfigureAwait(false);
            return;
        }
        var order = Value(context, "order");
        if (feed.Pool(Value(context, "pool")) is not { } pool)
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "There is no pool of this name.").ConfigureAwait(false);
            return;
        }
        try
        {
            if (!await give(pool, order).ConfigureAwait(false))
            {
                await AnswerAsync(context, StatusCodes.Status404NotFound, "There is no such order.").ConfigureAwait(false);
                return;
            }
        }
        catch (FormatException)
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "The order needs a tier: a whole number of at least 0.").ConfigureAwait(false);
            return;
        }
        catch (ArgumentException)
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "The pool has no endpoint or tier of this name.").ConfigureAwait(false);
            return;
        }
        Ordered(logger, pool.Name, context.User.Identity?.Name, order, subject);
        await AnswerAsync(context, StatusCodes.Status202Accepted, "Done.").ConfigureAwait(false);
    }

    // The order is done when the endpoint gets no new calls. A separate event reports the end of the last attempt.
    private static async void ObserveInBackground(ValueTask drain)
    {
        try
        {
            await drain.ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // An operator brought the endpoint up before its last attempt ended.
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new OrderView(status < 300, text), StatusJson.Default.OrderView, cancellationToken: context.RequestAborted);
    }

    // An escaped slash is the only character that stays escaped.
    private static string Value(HttpContext context, string name) =>
        (context.Request.RouteValues[name] as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(40, LogLevel.Information, "Pool {Pool}: {User} ordered {Order} of {Subject} on the dashboard.")]
    private static partial void Ordered(ILogger logger, string pool, string? user, string order, string subject);
}
