using HaKit.Http;
using Microsoft.Extensions.Http.Resilience;

namespace HaKit.DependencyInjection;

/// <summary>What was done to the handlers of a pool's client.</summary>
/// <param name="TakenOff">How many resilience handlers were taken off.</param>
/// <param name="PassThrough">How many standard handlers stay in the chain and do nothing.</param>
/// <param name="Custom">How many resilience handlers with strategies of the application's own stay.</param>
internal readonly record struct HandlerArrangement(int TakenOff, int PassThrough, int Custom)
{
    // The type is internal to Microsoft.Extensions.ServiceDiscovery, which HaKit does not depend on.
    private const string Resolver = "Microsoft.Extensions.ServiceDiscovery.Http.ResolvingHttpDelegatingHandler";

    /// <summary>
    /// Takes resilience handlers off that would repeat or time out the pool's work, and moves service discovery inside the pool, where it resolves the address of
    /// each attempt's endpoint. Outside, it would resolve the pool's origin, and the pool would refuse the result as another server's.
    /// </summary>
    /// <param name="handlers">The client's handlers, outermost first, with an <see cref="EndOfDefaults"/> behind those of all clients.</param>
    /// <param name="standard">How many of the client's own resilience handlers belong to the two standard ones.</param>
    /// <param name="keepsResilience">Whether every resilience handler stays.</param>
    public static HandlerArrangement Apply(IList<DelegatingHandler> handlers, int standard, bool keepsResilience)
    {
        var ofAllClients = TakeMarker(handlers);
        var result = keepsResilience ? default : TakeOffResilience(handlers, ofAllClients, standard);
        MoveResolversInside(handlers);
        // A handler before the pool may copy the request, as hedging does, or repeat it.
        if (handlers.Count > 0 && handlers[0] is not EndpointPoolHandler && handlers.Any(static h => h is EndpointPoolHandler))
        {
            handlers.Insert(0, new RequestTriesHandler());
        }
        return result;
    }

    /// <summary>Is it service discovery's handler?</summary>
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

        return 0; // the application has cleared the list since
    }

    private static HandlerArrangement TakeOffResilience(IList<DelegatingHandler> handlers, int ofAllClients, int standard)
    {
        var own = 0;
        for (var i = ofAllClients; i < handlers.Count; i++)
        {
            if (handlers[i] is ResilienceHandler)
                own++;
        }
        // A standard handler looks like any other. Where both kinds are there, the standard ones stay and pass everything through.
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

/// <summary>Stands, while the chain is built, between the handlers of all clients and the client's own. Never sends.</summary>
internal sealed class EndOfDefaults : DelegatingHandler;
