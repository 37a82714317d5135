using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace HaKit.AspNetCore.Heartbeats;

/// <summary>The answer to a heartbeat, in the schema <c>hakit.heartbeat/1</c>.</summary>
internal sealed record ServiceHeartbeatAnswer(string Schema, string Status, int Running, int Waiting, int? Capacity)
{
    public static Task WriteAsync(HttpContext context, ServiceHeartbeatOptions options, CancellationToken stopping)
    {
        var isDraining = options.IsDraining?.Invoke() ?? stopping.IsCancellationRequested;
        if (isDraining)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = Math.Ceiling(options.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
        context.Response.Headers.CacheControl = "no-store";
        var answer = new ServiceHeartbeatAnswer(
            "hakit.heartbeat/1", isDraining ? "draining" : "ready", options.Running?.Invoke() ?? RunningRequests.Count, options.Waiting?.Invoke() ?? 0, options.Capacity);
        return context.Response.WriteAsJsonAsync(answer, HeartbeatJson.Default.ServiceHeartbeatAnswer, cancellationToken: context.RequestAborted);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ServiceHeartbeatAnswer))]
internal sealed partial class HeartbeatJson : JsonSerializerContext;
