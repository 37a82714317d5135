using HaKit.Peers;
using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>
/// Contains the keys and the channel of one pool, all with one hash tag, so that they are on one node of a cluster:
/// <c>hakit:{shop%2Fproduction/chat}:facts</c>.
/// </summary>
internal sealed record RedisKeys(string Tag)
{
    /// <summary>Gets the key of the facts that last at most an hour. The score of a fact is the time, on the store's clock, at which the fact ends.</summary>
    public RedisKey Facts { get; } = $"hakit:{{{Tag}}}:facts";

    /// <summary>Gets the key of the orders, which last 90 days.</summary>
    public RedisKey Orders { get; } = $"hakit:{{{Tag}}}:orders";

    /// <summary>
    /// Gets the key of a random word. If the store has no word, a replica writes a new word. So a different word means that the store has lost its content.
    /// </summary>
    public RedisKey Life { get; } = $"hakit:{{{Tag}}}:life";

    public RedisChannel Channel { get; } = RedisChannel.Literal($"hakit:{{{Tag}}}");

    public RedisKey Leader(string role) => $"hakit:{{{Tag}}}:lead:{role}";

    /// <exception cref="InvalidOperationException">There is no name, so staging and production would share their facts.</exception>
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
