using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Finds the special features of one request: the kind of its answer, media, tools. Computed only if an endpoint has refused requests with such a feature.
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
    /// Gets the feature of this request that may be the reason for a refusal. Null if the endpoint itself is the reason. For a refusal with a web page or an
    /// empty body, the feature counts as the reason only if the endpoint serves other requests.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">The refusal.</param>
    /// <param name="isJson">True if the refusal is a JSON object.</param>
    public string? FindRefused(EndpointAttempt attempt, Fault fault, bool isJson)
    {
        // If the endpoint has not answered any call yet, it is not known whether it serves other requests.
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
