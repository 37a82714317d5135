using HaKit.Attempts;

namespace HaKit.Selection;

/// <summary>
/// Caches the views of the current snapshot, one for each kind of request. A new snapshot replaces the cache. Two threads may compute the same view; both
/// results are correct, so it does not matter which one is stored. Thread-safe.
/// </summary>
internal sealed class SelectionViews(SelectionPolicy policy)
{
    // Usually there are few kinds of requests, for example by model or region. If there are more than this, the oldest view is removed.
    private const int MostKinds = 16;

    private Views? _views;
    private uint _added;

    private sealed record Views(PoolSnapshot Snapshot, SelectionView Any, SelectionView[] Kinds);

    public SelectionView Get(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var views = Volatile.Read(ref _views);
        // A call that has read the previous snapshot must not replace the views of the new snapshot.
        if (views is null || views.Snapshot.Number < snapshot.Number)
            views = Renew(views, snapshot, query.Now);
        if (Requirement.IsNone(query.Profile))
            return views.Any;
        foreach (var view in views.Kinds)
        {
            if (Requirement.AreSame(view.Kind, query.Profile))
                return view;
        }

        return Add(views, in query);
    }

    private Views Renew(Views? old, PoolSnapshot snapshot, TimeSpan now)
    {
        var views = new Views(
            snapshot,
            new SelectionView(snapshot, RequestProfile.Default, policy, now, old?.Any),
            old is null ? [] : Array.ConvertAll(old.Kinds, v => new SelectionView(snapshot, v.Kind, policy, now, v)));
        Volatile.Write(ref _views, views);
        return views;
    }

    private SelectionView Add(Views views, in SelectionQuery query)
    {
        // The view keeps only the part of the profile that defines the kind of request, because a profile may contain the affinity key of a session.
        var profile = query.Profile;
        var kind = new RequestProfile
        {
            Endpoints = [.. profile.Endpoints],
            Model = profile.Model,
            Residency = profile.Residency,
            Tools = profile.Tools,
            Vision = profile.Vision,
            Tags = [.. profile.Tags],
        };
        // Each new view begins its rounds at another position. If there are more kinds than views, most views serve few calls, and would otherwise give all of
        // them to the first endpoint. The factor, the golden ratio, makes the positions independent of the order in which the kinds come.
        var position = (Interlocked.Increment(ref _added) - 1) * 0x9E3779B9u >> 1;
        var view = new SelectionView(views.Snapshot, kind, policy, query.Now, null, position);
        var kept = views.Kinds.AsSpan(Math.Max(0, views.Kinds.Length - MostKinds + 1));
        Interlocked.CompareExchange(ref _views, views with { Kinds = [.. kept, view] }, views);
        return view;
    }
}
