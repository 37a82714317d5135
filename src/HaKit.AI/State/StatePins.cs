using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Limits a call to the endpoints that can use the provider state in its messages and options.</summary>
internal static class StatePins
{
    private const string Hint = "Name the endpoints that have this state: options.UseHaProfile(new RequestProfile { Endpoints = [...] }).";

    /// <summary>
    /// Gets an endpoint that shares its state with the endpoint that made a state of unknown origin. Null if the given endpoints do not all share their state:
    /// each of them may then have made the state.
    /// </summary>
    public static PoolEndpoint? AnyMaker(List<PoolEndpoint> given) => given.Count > 0 && given.TrueForAll(e => e.SharesStoredStateWith(given[0])) ? given[0] : null;

    /// <summary>Gets the candidates that can use all of the state.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="given">The endpoints that the caller allows. State of unknown origin may come from any of these endpoints.</param>
    /// <param name="candidates">The allowed endpoints that support the parameters of the call.</param>
    /// <param name="states">The state.</param>
    /// <param name="mayPin">True if the call may be limited to some of the candidates.</param>
    /// <exception cref="StateNotPortableException">
    /// No endpoint can use the state, the origin of the state is not known, or the call may not be limited to some of the candidates.
    /// </exception>
    public static List<PoolEndpoint> Narrow(string pool, List<PoolEndpoint> given, List<PoolEndpoint> candidates, List<CarriedState> states, bool mayPin)
    {
        foreach (var state in states)
        {
            if (state.Maker is not { } maker)
            {
                if (given.Count == 0)
                    throw new StateNotPortableException(pool, state.Kind, null, "and the pool has no endpoint to which the call may go.");
                if (AnyMaker(given) is null)
                    throw new StateNotPortableException(pool, state.Kind, null, $"and the endpoints to which the call may go do not share state. {Hint}");
                continue;
            }
            var sharing = candidates.FindAll(c => c.SharesStoredStateWith(maker));
            if (sharing.Count == 0)
                throw new StateNotPortableException(pool, state.Kind, maker.Name, "and no endpoint to which the call may go shares this state.");
            if (sharing.Count < candidates.Count && !mayPin)
                throw new StateNotPortableException(pool, state.Kind, maker.Name, "and PinState is false, so the call may not be limited to the endpoints that share this state.");
            candidates = sharing;
        }
        return candidates;
    }
}

/// <summary>Handles encrypted reasoning in the messages of a call, because some of the endpoints cannot read it.</summary>
/// <param name="reasoning">The encrypted reasoning.</param>
/// <param name="maker">
/// An endpoint that shares its state with the endpoint that made the reasoning of unknown origin. Null if the endpoints that the caller allows do not all share
/// their state.
/// </param>
internal sealed class ReasoningOrigins(List<CarriedState> reasoning, PoolEndpoint? maker)
{
    public IReadOnlyList<ChatMessage> MessagesFor(PoolEndpoint endpoint, IReadOnlyList<ChatMessage> messages)
    {
        if (reasoning.TrueForAll(r => CanRead(endpoint, r)))
            return messages;
        var unreadable = reasoning.FindAll(r => !CanRead(endpoint, r)).ConvertAll(r => (AIContent)r.Content!).ToHashSet(ReferenceEqualityComparer.Instance);
        var readable = new List<ChatMessage>(messages.Count);
        foreach (var message in messages)
        {
            if (!message.Contents.Any(unreadable.Contains))
            {
                readable.Add(message);
                continue;
            }
            var copy = message.Clone();
            copy.Contents = [.. message.Contents.Where(c => !unreadable.Contains(c))];
            if (copy.Contents.Count > 0)
                readable.Add(copy);
        }
        return readable;
    }

    private bool CanRead(PoolEndpoint endpoint, CarriedState state) => (state.Maker ?? maker) is { } known && endpoint.SharesStoredStateWith(known);
}
