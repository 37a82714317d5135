using HaKit.Faults;

namespace HaKit.AspNetCore.Tests;

/// <summary>Creates a pool of a hundred endpoints that have all been busy, some of them with faults: the most data that a page can show.</summary>
internal static class Crowd
{
    public static void Describe(EndpointPoolOptions options)
    {
        options.Heartbeat.Enabled = false;
        options.Seed = 1;
        for (var i = 0; i < 100; i++)
        {
            options.Endpoints.Add(new EndpointOptions
            {
                Name = $"gpu-{i:00}.rack-{i / 10}",
                Address = $"https://gpu-{i:00}.rack-{i / 10}.example.test:8443/v1",
                Tier = i / 80,
                Zone = $"zone-{i % 3}",
                Provider = "self-hosted",
                Model = "llama-3.3-70b-instruct",
                Limits = new() { MaxConcurrency = 64, RequestsPerMinute = 6000 },
            });
        }
    }

    public static void Live(Site site)
    {
        var pool = site.Pool();
        for (var step = 0; step < 61; step++)
        {
            for (var i = 0; i < 100; i++)
            {
                for (var call = 0; call <= (step + i) % 12; call++)
                    _ = CallAsync(site, pool, i, step);
            }

            site.Time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    private static async Task CallAsync(Site site, EndpointPool pool, int i, int step)
    {
        var profile = new RequestProfile { Endpoints = [pool.Endpoints[i].Name], MayRepeat = false };
        try
        {
            await pool.ExecuteAsync(profile, (site, i, step), static async (attempt, s, token) =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1200 + s.i), s.site.Time, token).ConfigureAwait(false);
                if (s.i % 9 == 0 && s.step % 7 == 0)
                    attempt.ReportFault(new Fault(FaultKind.ServerError) { StatusCode = 500 });
                return 1;
            }).ConfigureAwait(false);
        }
        catch (EndpointPoolException)
        {
            // The endpoint was out of service.
        }
    }
}
