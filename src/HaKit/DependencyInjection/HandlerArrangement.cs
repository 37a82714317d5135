using HaKit.Http;
using Microsoft.Extensions.Http.Resilience;

namespace HaKit.DependencyInjection;

/// <summary>Describes what was done to the handlers of a pool's client.</summary>
/// <param name="TakenOff">The number of resilience handlers that were removed.</param>
/// <param name="PassThrough">
/// The number of handlers of <c>AddStandardResilienceHandler</c> and <c>AddStandardHedgingHandler</c> that stay in the chain and do nothing.
/// </param>
/// <param name="Custom">The number of resilience handlers with the application's own strategies that stay.</param>
internal readonly record struct HandlerArrangement(int TakenOff, int PassThrough, int Custom)
{
    // The type is internal to Microsoft.Extensions.ServiceDiscovery, which HaKit does not depend on.
    private const string Resolver = "Microsoft.Extensions.ServiceDiscovery.Http.ResolvingHttpDelegatingHandler";

    /// <summary>
    /// Removes resilience handlers whose retries and timeouts would repeat or cut off the pool's calls. Moves service discovery inside the pool, where it
    /// resolves the address of each attempt. Outside the pool, service discovery would resolve the pool's origin, and the pool would refuse the resolved
    /// address because it does not begin with the origin.
    /// </summary>
    /// <param name="handlers">
    /// The client's handlers, outermost first. An <see cref="EndOfDefaults"/> separates the handlers that every client gets from the client's own handlers.
    /// </param>
    /// <param name="standard">
    /// The number of the client's own handlers that <c>AddStandardResilienceHandler</c> and <c>AddStandardHedgingHandler</c> added.
    /// </param>
    /// <param name="keepsResilience">True if every resilience handler stays.</param>
    public static HandlerArrangement Apply(IList<DelegatingHandler> handlers, int standard, bool keepsResilience)
    {
        var ofAllClients = TakeMarker(handlers);
        var result = keepsResilience ? default : TakeOffResilience(handlers, ofAllClients, standard);
        MoveResolversInside(handlers);
        // A handler before the pool may send copies of the request, as hedging does, or retry it.
        if (handlers.Count > 0 && handlers[0] is not EndpointPoolHandler && handlers.Any(static h => h is EndpointPoolHandler))
        {
            handlers.Insert(0, new RequestTriesHandler());
        }
        return result;
    }

    /// <summary>Checks whether this is the handler of service discovery.</summary>
    public static bool IsResolver(HttpMessageHandler handler) => handler.GetType().FullName == Resolver;

    private static int TakeMarker(IList<DelegatingHandler> handlers)
    {
        for (var i = 0; i < handlers.Count; i++)
        {
            if (handlers[i] is EndOfDefaults)
            {
                handlers.RemoveAt(i);
                return i;
            }
        }

        return 0; // the application has cleared the list in the meantime
    }

    private static HandlerArrangement TakeOffResilience(IList<DelegatingHandler> handlers, int ofAllClients, int standard)
    {
        var own = 0;
        for (var i = ofAllClients; i < handlers.Count; i++)
        {
            if (handlers[i] is ResilienceHandler)
                own++;
        }
        // A standard handler cannot be distinguished from a resilience handler of the application. If both are present, the standard handlers stay and do nothing.
        var takesOwn = own == standard;
        var taken = 0;
        for (var i = handlers.Count - 1; i >= 0; i--)
        {
            if (handlers[i] is ResilienceHandler && (i < ofAllClients || takesOwn))
            {
                handlers.RemoveAt(i);
                taken++;
            }
        }

        return takesOwn ? new(taken, 0, 0) : new(taken, standard, own - standard);
    }

    private static void MoveResolversInside(IList<DelegatingHandler> handlers)
    {
        var pool = 0;
        while (pool < handlers.Count && handlers[pool] is not EndpointPoolHandler)
            pool++;
        if (pool == handlers.Count)
            return;
        for (var i = pool - 1; i >= 0; i--)
        {
            if (IsResolver(handlers[i]))
            {
                var resolver = handlers[i];
                handlers.RemoveAt(i);
                handlers.Insert(pool--, resolver);
            }
        }
    }
}

/// <summary>
/// Marks the place between the handlers of all clients and the client's own handlers while the chain is built. It is removed before any request is sent.
/// </summary>
internal sealed class EndOfDefaults : DelegatingHandler;
