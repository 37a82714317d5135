using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Finds the features of one request for which an endpoint may refuse it: an answer that is not a chat answer, media, tools. The features are searched only
/// after an endpoint has refused a request, because the search reads the whole body.
/// </summary>
/// <param name="route">The request's address.</param>
/// <param name="body">The request's body. Null: none.</param>
internal readonly struct RequestKinds(HttpRoute route, RequestBody? body)
{
    /// <summary>Gets the names of all these features of the request.</summary>
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
    /// Gets the feature of this request that may be the reason for a refusal. Null if the endpoint itself is probably the reason. Before the endpoint has
    /// answered any call, it is not known whether the endpoint serves other requests. Until then, an answer that is not a chat answer is never the reason, and
    /// media and tools are the reason only for a refusal with a JSON object. Tools are the reason only for a refusal of the kind <see
    /// cref="SecondOpinion.One"/>.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">The refusal.</param>
    /// <param name="isJson">True if the refusal is a JSON object.</param>
    public string? FindRefused(EndpointAttempt attempt, Fault fault, bool isJson)
    {
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
