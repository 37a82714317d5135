using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace HaKit.AspNetCore.Status;

/// <summary>The JSON addresses of the page, which other tools can use as well.</summary>
internal static class StatusEndpoints
{
    public static void Map(RouteGroupBuilder group, StatusFeed feed)
    {
        group.MapGet("/status", context => StatusAsync(context, feed));
        group.MapGet("/events", context => EventsAsync(context, feed));
        group.MapGet("/explain", context => ExplainAsync(context, feed));
    }

    private static async Task StatusAsync(HttpContext context, StatusFeed feed)
    {
        var json = feed.WriteWhole();
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = json.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(json, context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task EventsAsync(HttpContext context, StatusFeed feed)
    {
        if (feed.Join(context.Connection.RemoteIpAddress?.ToString() ?? "") is not { } viewer)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, viewer.Closed);
        try
        {
            await foreach (var message in viewer.Messages.ReadAllAsync(end.Token).ConfigureAwait(false))
            {
                await context.Response.Body.WriteAsync(message, end.Token).ConfigureAwait(false);
                await context.Response.Body.FlushAsync(end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The viewer has disconnected or was closed.
            if (!context.RequestAborted.IsCancellationRequested)
                context.Abort();
        }
        finally
        {
            feed.RemoveViewer(viewer);
        }
    }

    private static async Task ExplainAsync(HttpContext context, StatusFeed feed)
    {
        var query = context.Request.Query;
        if (feed.Pool(query["pool"].ToString()) is not { } pool)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var profile = new RequestProfile
        {
            Model = Text(query["model"]),
            Residency = Text(query["residency"]),
            AffinityKey = Text(query["affinity"]),
            Tools = query["tools"] == "true",
            Vision = query["vision"] == "true",
            InputTokens = int.TryParse(query["inputTokens"], out var tokens) && tokens > 0 ? tokens : 0,
        };
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(StatusViews.From(pool.Name, pool.Explain(profile)), StatusJson.Default.ExplainView, cancellationToken: context.RequestAborted).ConfigureAwait(false);
    }

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
