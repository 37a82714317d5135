using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>What is particular about one request: the kind of its answer, media, tools. Looked up only where an endpoint has refused such requests.</summary>
/// <param name="route">The request's address.</param>
/// <param name="body">The request's body; null for none.</param>
internal readonly struct RequestKinds(HttpRoute route, RequestBody? body)
{
    /// <summary>Every kind that the request is of.</summary>
    public List<string> Names()
    {
        var kinds = new List<string>(2);
        if (route.AnswerOn(WireDialect.Unknown) is { } path && RequestContents.KindOfPath(path) is { } other)
        {
            kinds.Add(other);
        }
        if (body is { IsKept: true })
        {
            if (RequestContents.HasMedia(body[..]))
            {
                kinds.Add(RequestContents.Media);
            }
            if (RequestContents.HasTools(body[..]))
            {
                kinds.Add(RequestContents.Tools);
            }
        }
        return kinds;
    }

    /// <summary>
    /// What is particular about this request, where that may be why an endpoint refused it; null where the refusal speaks of the endpoint. A page or an empty
    /// body says something of what is in a request only where the endpoint serves others.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">The refusal.</param>
    /// <param name="isJson">Is the refusal a JSON object?</param>
    public string? FindRefused(EndpointAttempt attempt, Fault fault, bool isJson)
    {
        // An endpoint that has not answered anything yet is not known to serve other kinds.
        var hasAnswered = attempt.Lease.State.AnsweredAt is not null;
        if (route.AnswerOn(attempt.Endpoint.Dialect) is { } path && RequestContents.KindOfPath(path) is { } other)
        {
            return hasAnswered ? other : null;
        }
        if (!isJson && !hasAnswered || body is not { IsKept: true })
        {
            return null;
        }
        if (RequestContents.HasMedia(body[..]))
        {
            return RequestContents.Media;
        }
        return fault.SecondOpinion == SecondOpinion.One && RequestContents.HasTools(body[..]) ? RequestContents.Tools : null;
    }
}
