using Microsoft.AspNetCore.Http;

namespace HaKit.AspNetCore.Heartbeats;

/// <summary>Counts the running requests of the whole process, because a heartbeat reports the load of the process.</summary>
internal static class RunningRequests
{
    private static int s_count;

    public static int Count => Volatile.Read(ref s_count);

    public static async Task CountAsync(RequestDelegate next, HttpContext context)
    {
        Interlocked.Increment(ref s_count);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref s_count);
        }
    }
}
