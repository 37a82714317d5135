using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// Refines what a 4xx means by what the request asked for. A refusal of a request that every endpoint could answer gets a second opinion, and counts
/// against its endpoint only if another one then serves the call. For every other request the plain rule holds: the refusal goes back at once and
/// counts for nothing.
/// </summary>
internal static class Refusals
{
    /// <param name="fault">The fault as its status and words say.</param>
    /// <param name="request">What the request asked for.</param>
    /// <param name="status">The answer's status, or the one that an error within a success stands for.</param>
    /// <param name="signs">What the body showed.</param>
    /// <param name="words">The message, without what it quotes.</param>
    public static Fault Refine(Fault fault, RequestKind request, int status, in ErrorSigns signs, ReadOnlySpan<char> words)
    {
        switch (fault.Kind)
        {
            case FaultKind.ModelNotFound:
                return request == RequestKind.Other ? fault with { Blame = FaultBlame.Request } : Provisional(fault, SecondOpinion.Each);
            case FaultKind.Forbidden:
                return request == RequestKind.Other
                    ? fault with { Blame = FaultBlame.Request, Reach = FaultReach.Endpoint, SecondOpinion = SecondOpinion.Each }
                    : Provisional(fault, SecondOpinion.Each);
            case FaultKind.NotServed when request == RequestKind.CreatesAnswer:
                return Provisional(fault, SecondOpinion.Each);
            // Larger than a limit, which another endpoint may have larger: nothing is wrong with this one.
            case FaultKind.RequestTooLarge when status == 429 || OversizedRequest.IsToldIn(words):
                return fault with { SecondOpinion = SecondOpinion.Each };
            case FaultKind.InvalidRequest or FaultKind.RequestTooLarge when request == RequestKind.CreatesAnswer:
                return Opinion(status, in signs, words) is var opinion and not SecondOpinion.None ? Provisional(fault, opinion) : fault;
            default:
                return fault;
        }
    }

    private static SecondOpinion Opinion(int status, in ErrorSigns signs, ReadOnlySpan<char> words)
    {
        if (status is not (400 or 413 or 422) || !signs.IsJson)
            return SecondOpinion.Each;
        return RequestSigns.Blame(in signs, words) ? SecondOpinion.None : SecondOpinion.One;
    }

    private static Fault Provisional(Fault fault, SecondOpinion opinion) =>
        fault with { SecondOpinion = opinion, IsProvisional = true, Reach = FaultReach.Endpoint };
}
