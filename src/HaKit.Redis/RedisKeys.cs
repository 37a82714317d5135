using HaKit.Peers;
using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>The keys and the channel of one pool, all under one hash tag, so that they lie on one node of a cluster: <c>hakit:{shop%2Fproduction/chat}:facts</c>.</summary>
internal sealed record RedisKeys(string Tag)
{
    /// <summary>Facts that last an hour at most, by the store's time at which they end.</summary>
    public RedisKey Facts { get; } = $"hakit:{{{Tag}}}:facts";

    /// <summary>Orders, which last 90 days.</summary>
    public RedisKey Orders { get; } = $"hakit:{{{Tag}}}:orders";

    /// <summary>A random word that a store without it is given: another word means that the store has lost what it had.</summary>
    public RedisKey Life { get; } = $"hakit:{{{Tag}}}:life";

    public RedisChannel Channel { get; } = RedisChannel.Literal($"hakit:{{{Tag}}}");

    public RedisKey Leader(string role) => $"hakit:{{{Tag}}}:lead:{role}";

    /// <exception cref="InvalidOperationException">There is no name, so staging and production would share what they know.</exception>
    public static RedisKeys FromScope(PeerScope scope)
    {
        if (scope.Name is not { } name)
        {
            throw new InvalidOperationException(
                $"Pool '{scope.Pool}': Sharing:Name is not set. Give the application and its environment a name, such as 'shop/production', so that only its replicas share.");
        }

        return new RedisKeys($"{Uri.EscapeDataString(name)}/{Uri.EscapeDataString(scope.Pool)}");
    }
}
