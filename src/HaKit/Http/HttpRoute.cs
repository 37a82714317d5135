using HaKit.Dialects;

namespace HaKit.Http;

/// <summary>An address that is asked for again and again, and what it becomes on each endpoint: worked out once. Thread-safe.</summary>
internal sealed class HttpRoute
{
    private const int MostKept = 64;

    private readonly AnswerPath?[]?[] _answers = new AnswerPath?[Enum.GetValues<WireDialect>().Length][];
    private Place[] _places = [];

    /// <exception cref="InvalidOperationException">The address is not under the pool's origin.</exception>
    public HttpRoute(Uri requested, Uri origin)
    {
        HttpTarget.RefuseForeign(requested, origin);
        (Requested, Origin) = (requested, origin);
        Text = requested.OriginalString;
        var folder = origin.AbsolutePath.TrimEnd('/');
        Path = requested.AbsolutePath.StartsWith(folder + "/", StringComparison.Ordinal) ? requested.AbsolutePath[folder.Length..] : requested.AbsolutePath;
        Named = StoredNames.InPath(Path);
        MakesState = StoredNames.AreMadeAt(Path);
        Streams = requested.AbsolutePath.EndsWith(":streamGenerateContent", StringComparison.Ordinal)
            || requested.Query.Split('?', '&').Contains("stream=true", StringComparer.OrdinalIgnoreCase);
    }

    public Uri Requested { get; }

    public Uri Origin { get; }

    public string Text { get; }

    /// <summary>The path behind the origin.</summary>
    public string Path { get; }

    /// <summary>The stored object that the path is about; null for none.</summary>
    public StoredName? Named { get; }

    /// <summary>May an answer to a POST tell of a new stored object?</summary>
    public bool MakesState { get; }

    /// <summary>What is known of the path, if a POST to it creates an answer.</summary>
    /// <param name="dialect">What the endpoint declares.</param>
    public AnswerPath? AnswerOn(WireDialect dialect)
    {
        ref var known = ref _answers[(int)dialect];
        return (Volatile.Read(ref known) ?? (known = [DialectTable.PathOf(dialect, Requested.AbsolutePath)]))[0];
    }

    /// <summary>Does the address alone ask for a stream?</summary>
    public bool Streams { get; }

    /// <summary>The address on one endpoint.</summary>
    /// <param name="target">The endpoint.</param>
    /// <param name="model">The caller's model, for an address with a place for it; otherwise null.</param>
    /// <param name="withCredential">Do credentials in the caller's query go along?</param>
    public Uri On(HttpTarget target, string? model, bool withCredential)
    {
        var places = Volatile.Read(ref _places);
        foreach (var place in places)
        {
            if (ReferenceEquals(place.Target, target) && place.Model == model && place.WithCredential == withCredential)
                return place.Address;
        }

        var address = target.AddressFor(Requested, model, withCredential);
        // Two at once may lose one of the two: it is worked out again.
        Volatile.Write(ref _places, places.Length == MostKept ? [new(target, model, withCredential, address)] : [.. places, new(target, model, withCredential, address)]);
        return address;
    }

    private sealed record Place(HttpTarget Target, string? Model, bool WithCredential, Uri Address);
}

/// <summary>The routes that were used last, few enough to be kept. Thread-safe.</summary>
internal sealed class HttpRoutes
{
    private readonly HttpRoute?[] _kept = new HttpRoute?[64];

    public HttpRoute GetRoute(Uri requested, Uri origin)
    {
        var text = requested.OriginalString;
        ref var kept = ref _kept[text.GetHashCode(StringComparison.Ordinal) & 63];
        var route = Volatile.Read(ref kept);
        if (route is null || !ReferenceEquals(route.Origin, origin) || route.Text != text)
            Volatile.Write(ref kept, route = new HttpRoute(requested, origin));
        return route;
    }
}
