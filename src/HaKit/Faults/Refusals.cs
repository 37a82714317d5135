using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// Refines the meaning of a 4xx by the kind of the request. If every endpoint could answer the request, a second endpoint is tried. The refusal then counts
/// against the first endpoint only if another endpoint serves the call. For every other request the caller gets the refusal at once, and it counts against no
/// endpoint.
/// </summary>
internal static class Refusals
{
    /// <param name="fault">The fault according to status and words.</param>
    /// <param name="request">The kind of the request.</param>
    /// <param name="status">The status of the answer, or the status that an error inside a success stands for.</param>
    /// <param name="signs">The signs of an error that the body contained.</param>
    /// <param name="message">The message.</param>
    public static Fault Refine(Fault fault, RequestKind request, int status, in ErrorSigns signs, ref ServerMessage message)
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
            // The request is larger than a limit of this endpoint, and another endpoint may have a larger limit. This endpoint is not at fault.
            case FaultKind.RequestTooLarge when status == 429 || OversizedRequest.IsStatedIn(ref message):
                return fault with { SecondOpinion = SecondOpinion.Each };
            // The words of an error without a status may be wrong, so each of the other endpoints is asked, for every kind of request.
            case FaultKind.InvalidRequest when status == 0:
                return Provisional(fault, SecondOpinion.Each);
            // A code or a parameter in an answer of status 200 is weaker evidence than a status, so one other endpoint is asked.
            case FaultKind.InvalidRequest when fault.StatusCode < 400 && signs.BodyStatus == 0:
                return Provisional(fault, SecondOpinion.One);
            case FaultKind.InvalidRequest or FaultKind.RequestTooLarge when request == RequestKind.CreatesAnswer:
                return Opinion(status, in signs, message.Words) is var opinion and not SecondOpinion.None ? Provisional(fault, opinion) : fault;
            default:
                return fault;
        }
    }

    private static SecondOpinion Opinion(int status, in ErrorSigns signs, ReadOnlySpan<char> words)
    {
        if (status is not (400 or 413 or 422) || !signs.IsJson)
            return SecondOpinion.Each;
        return RequestSigns.BlamesRequest(in signs, words) ? SecondOpinion.None : SecondOpinion.One;
    }

    private static Fault Provisional(Fault fault, SecondOpinion opinion) =>
        fault with { SecondOpinion = opinion, IsProvisional = true, Reach = FaultReach.Endpoint };
}
