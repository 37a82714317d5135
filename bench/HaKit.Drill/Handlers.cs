using Polly;

namespace HaKit.Drills;

/// <summary>Sends each request to the next of the upstreams.</summary>
internal sealed class InTurnHandler(IReadOnlyList<Uri> addresses) : DelegatingHandler
{
    private int _turn;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Upstream.Move(request, addresses[(int)((uint)Interlocked.Increment(ref _turn) % addresses.Count)]);
        return base.SendAsync(request, cancellationToken);
    }
}

/// <summary>Retries on the next upstream; each upstream has its own pipeline.</summary>
internal sealed class NextUpstreamHandler(
    IReadOnlyList<Uri> addresses, ResiliencePipeline<HttpResponseMessage> retry, ResiliencePipeline<HttpResponseMessage>[] each) : DelegatingHandler
{
    private int _turn;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var at = (uint)Interlocked.Increment(ref _turn);
        return await retry.ExecuteAsync(
            async token =>
            {
                var upstream = (int)(at++ % (uint)addresses.Count);
                return await each[upstream].ExecuteAsync(
                    async inner =>
                    {
                        Upstream.Move(request, addresses[upstream]);
                        return await base.SendAsync(request, inner);
                    },
                    token);
            },
            cancellationToken);
    }
}

internal static class Upstream
{
    public static void Move(HttpRequestMessage request, Uri to) => request.RequestUri = new Uri(to, request.RequestUri!.PathAndQuery);
}
