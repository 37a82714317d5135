using System.Net;
using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Decides which endpoints may get a call that names stored objects (a response, a conversation, a file, a batch, or cached content). The objects exist only on
/// the endpoint that created them and on endpoints of the same account in the same region. If the creator is not known, the call goes to the first endpoint of
/// the first tier. If that endpoint does not have the object, the call goes once more to the next endpoint with another store.
/// </summary>
/// <param name="Profile">The call's profile, confined to the endpoints that have the objects.</param>
/// <param name="Names">The objects that the call names.</param>
/// <param name="Maker">The endpoint that created the objects. Null: not known.</param>
/// <param name="Next">The profile for the second try, if the creator is not known. Null: there is no second try.</param>
internal sealed record StatePlacement(RequestProfile Profile, IReadOnlyList<StoredName> Names, string? Maker, RequestProfile? Next)
{
    /// <summary>Places a call. Null if it names no stored object.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="ids">The known creators of objects.</param>
    /// <param name="profile">The call's profile.</param>
    /// <param name="names">The objects that the call names.</param>
    /// <exception cref="StateNotPortableException">No endpoint that may get the call has all of them.</exception>
    public static StatePlacement? FindPlacement(EndpointPool pool, StoredIds ids, RequestProfile profile, List<StoredName> names)
    {
        if (names.Count == 0)
            return null;
        var given = Array.FindAll([.. pool.Endpoints], e => e.Address is not null && (profile.Endpoints.Count == 0 || profile.Endpoints.Contains(e.Name)));
        var candidates = given;
        string? maker = null;
        foreach (var name in names)
        {
            if (ids.MakerOf(name.Id) is not { } made)
                continue;
            maker = made.Name;
            candidates = Array.FindAll(candidates, c => c.SharesStoredStateWith(made));
            if (candidates.Length == 0)
                throw new StateNotPortableException(pool.Name, name.Kind, maker, "and no endpoint to which the call may go shares the store of that endpoint.");
        }
        if (maker is not null)
            return new(Confined(profile, candidates), names, maker, null);
        var groups = GroupsOf(given);
        return groups.Count == 0 ? null : new(Confined(profile, groups[0]), names, null, groups.Count > 1 ? Confined(profile, groups[1]) : null);
    }

    /// <summary>
    /// Runs a call at the endpoints that have its objects. If the creator is not known, a second try follows at the endpoints of <see cref="Next"/>.
    /// </summary>
    /// <exception cref="StateNotPortableException">The endpoints with the objects could not serve the call.</exception>
    public async ValueTask<Served<HttpResponseMessage>> RunAsync(EndpointPool pool, HttpCall call, CancellationToken token)
    {
        Served<HttpResponseMessage> first;
        var began = pool.Engine.Clock.Now;
        try
        {
            first = await call.ExecuteAsync(Profile, token).ConfigureAwait(false);
        }
        catch (EndpointPoolException exception) when (Maker is not null)
        {
            throw new StateNotPortableException(pool.Name, Names[0].Kind, Maker, "and the endpoints that share the store of that endpoint cannot serve the call.", exception);
        }
        if (Next is { } next && await SaysNotFoundAsync(first.Result, token).ConfigureAwait(false))
            first = await AskNextAsync(call, ForSecondTry(pool, next, first.Detail, began), first, token).ConfigureAwait(false);
        if (Maker is null && first.Result.IsSuccessStatusCode)
        {
            var server = pool.Endpoints.FirstOrDefault(e => e.Name == first.Detail.Endpoint);
            foreach (var name in server is null ? [] : Names)
                HttpPoolState.Get(pool).Ids.Remember(name.Id, server!);
        }

        return first;
    }

    // Both tries together have one deadline, and one limit on the time that they wait.
    private static RequestProfile ForSecondTry(EndpointPool pool, RequestProfile next, CallDetail first, TimeSpan began)
    {
        next = next with { BeganAt = next.BeganAt ?? began };
        if ((next.MaxWait ?? pool.Engine.Settings.MaxWait) is not { } most)
            return next;
        return next with { MaxWait = most > first.Waited ? most - first.Waited : TimeSpan.Zero };
    }

    // One of the two answers is returned, and the other answer is disposed. If the second endpoint cannot be reached, the object may be there, so the caller
    // gets that endpoint's exception.
    private static async ValueTask<Served<HttpResponseMessage>> AskNextAsync(HttpCall call, RequestProfile next, Served<HttpResponseMessage> first, CancellationToken token)
    {
        var unused = first.Result;
        try
        {
            var second = await call.ExecuteAsync(next, token).ConfigureAwait(false);
            if (!await SaysNotFoundAsync(second.Result, token).ConfigureAwait(false))
                return second;
            unused = second.Result;
            return first;
        }
        finally
        {
            unused.Dispose();
        }
    }

    /// <summary>Explains which endpoint gets the calls that name the object, and why.</summary>
    public static string Explain(EndpointPool pool, StoredIds ids, string id)
    {
        if (ids.MakerOf(id) is not { } maker)
        {
            return "The endpoint that made the object is not known: the first tier's endpoint is asked, and then once the next endpoint that does not share its store.";
        }
        var others = pool.Endpoints.Where(e => e.Address is not null && e.Name != maker.Name && e.SharesStoredStateWith(maker)).Select(e => e.Name).ToArray();
        return others.Length == 0
            ? $"The object was made by endpoint '{maker.Name}', and no other endpoint shares its account and region: calls that name it go there, or end with {nameof(StateNotPortableException)}."
            : $"The object was made by endpoint '{maker.Name}': calls that name it go there or to '{string.Join("', '", others)}', which have the same account and region.";
    }

    // The answer must have an error code, because a 404 without a body may mean a wrong address. The body can be read here, because the pool keeps the bodies
    // of refusals.
    private static async ValueTask<bool> SaysNotFoundAsync(HttpResponseMessage response, CancellationToken token)
    {
        if (response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.NotFound) || response.Content is not WholeContent)
            return false;
        var text = await response.Content.ReadAsStringAsync(token).ConfigureAwait(false);
        return text.Contains("not_found", StringComparison.OrdinalIgnoreCase) || text.Contains("No such ", StringComparison.OrdinalIgnoreCase);
    }

    private static RequestProfile Confined(RequestProfile profile, IEnumerable<PoolEndpoint> endpoints) => profile with { Endpoints = [.. endpoints.Select(e => e.Name)] };

    // Groups the endpoints by the store that they share. The groups of the first tier come first.
    private static List<List<PoolEndpoint>> GroupsOf(PoolEndpoint[] endpoints)
    {
        var groups = new List<List<PoolEndpoint>>();
        foreach (var endpoint in endpoints.OrderBy(e => e.Tier))
        {
            if (groups.Find(g => g[0].SharesStoredStateWith(endpoint)) is { } group)
                group.Add(endpoint);
            else
                groups.Add([endpoint]);
        }

        return groups;
    }
}
