using HaKit.Attempts;

namespace HaKit.Selection;

/// <summary>
/// The views of the current snapshot, one for each kind of request. Renewed when the snapshot is; two threads may do the same work, and whichever result is
/// stored, both are right. Thread-safe.
/// </summary>
internal sealed class SelectionViews(SelectionPolicy policy)
{
    // Kinds of requests are few: models, regions. Where they are many, the oldest view makes room.
    private const int MostKinds = 16;

    private Views? _views;

    private sealed record Views(PoolSnapshot Snapshot, SelectionView Any, SelectionView[] Kinds);

    public SelectionView Get(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var views = Volatile.Read(ref _views);
        // A call that read the snapshot a moment earlier must not bring the old one back.
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
        // Of the profile only what makes its kind is kept: it may hold a session's key.
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
        var view = new SelectionView(views.Snapshot, kind, policy, query.Now, null);
        var kept = views.Kinds.AsSpan(Math.Max(0, views.Kinds.Length - MostKinds + 1));
        Interlocked.CompareExchange(ref _views, views with { Kinds = [.. kept, view] }, views);
        return view;
    }
}
