using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Finds what is particular about one request: the kind of its answer, media, tools. Computed only if an endpoint has refused such requests.
/// </summary>
/// <param name="route">The request's address.</param>
/// <param name="body">The request's body. Null: none.</param>
internal readonly struct RequestKinds(HttpRoute route, RequestBody? body)
{
    /// <summary>Gets all kinds of the request.</summary>
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
    /// Gets what is particular about this request, if that may be the reason for a refusal. Null if the refusal is about the endpoint. A web page or an empty
    /// body counts as such a refusal only if the endpoint serves other requests.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">The refusal.</param>
    /// <param name="isJson">True if the refusal is a JSON object.</param>
    public string? FindRefused(EndpointAttempt attempt, Fault fault, bool isJson)
    {
        // If the endpoint has not answered anything yet, it is not known whether it serves other kinds.
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
