namespace HaKit.Sample.Web;

/// <summary>The number of calls that the visitors make per second.</summary>
internal sealed record VisitorOptions(double PerSecond);

/// <summary>Simulated users that chat at the same time, so that there is traffic to see.</summary>
internal sealed class Visitors(IHttpClientFactory clients, VisitorOptions options) : BackgroundService
{
    private static readonly string[] Questions = ["What is a quorum?", "Explain failover in a line.", "Why do heartbeats jitter?", "Name three kinds of lease.", "What is a burn rate?"];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.PerSecond <= 0)
            return;
        var http = clients.CreateClient("chat");
        for (var visitor = 0; !stoppingToken.IsCancellationRequested; visitor++)
        {
            _ = VisitAsync(http, visitor, stoppingToken);
            // Arrivals of a Poisson process.
            var wait = TimeSpan.FromSeconds(-Math.Log(1 - Random.Shared.NextDouble()) / options.PerSecond);
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task VisitAsync(HttpClient http, int visitor, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var _ in Chat.AskAsync(http, [new("user", $"{Questions[visitor % Questions.Length]} ({visitor})")], 24, cancellationToken))
            {
                // A simulated visitor does not use the answer.
            }
        }
        catch (Exception lost) when (lost is EndpointPoolException or OperationCanceledException or HttpRequestException or IOException)
        {
            // The dashboard shows the lost calls.
        }
    }
}
