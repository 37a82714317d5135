using HaKit.Http;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Logging;

namespace HaKit.DependencyInjection;

/// <summary>
/// Makes probes bypass the logging handlers that the factory adds to each client. With one heartbeat in ten seconds, the logging handlers would write thousands
/// of lines a day for each endpoint. This filter is registered first and runs last, so it sees the handlers that the other filters have added.
/// </summary>
internal sealed class QuietProbes(IEnumerable<EndpointPoolClient> clients) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (clients.Any(c => c.Client == builder.Name))
            InsertBypasses(builder.AdditionalHandlers);
    };

    private static void InsertBypasses(IList<DelegatingHandler> handlers)
    {
        for (var i = handlers.Count - 1; i >= 0 && handlers[i] is not EndpointPoolHandler; i--)
        {
            if (handlers[i] is LoggingHttpMessageHandler)
                handlers.Insert(i, new BypassHandler());
        }
    }

    /// <summary>Sends probes directly to the handler after the next handler.</summary>
    private sealed class BypassHandler : DelegatingHandler
    {
        private HttpMessageInvoker? _behind;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.Options.TryGetValue(ClientConnections.ProbeKey, out _) || InnerHandler is not DelegatingHandler { InnerHandler: { } behind })
                return base.SendAsync(request, cancellationToken);
            _behind ??= new HttpMessageInvoker(behind, disposeHandler: false);
            return _behind.SendAsync(request, cancellationToken);
        }
    }
}
