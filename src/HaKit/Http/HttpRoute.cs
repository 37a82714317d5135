using HaKit.Dialects;

namespace HaKit.Http;

/// <summary>Computes the address of a request on each endpoint, and caches it for addresses that are requested often. Thread-safe.</summary>
internal sealed class HttpRoute
{
    private const int MostKept = 64;

    private readonly AnswerPath?[]?[] _answers = new AnswerPath?[Enum.GetValues<WireDialect>().Length][];
    private Place[] _places = [];

    /// <exception cref="InvalidOperationException">The address is not under the pool's origin.</exception>
    public HttpRoute(Uri requested, Uri origin)
    {
        HttpTarget.ThrowIfForeign(requested, origin);
        (Requested, Origin) = (requested, origin);
        Text = requested.OriginalString;
        var folder = origin.AbsolutePath.TrimEnd('/');
        Path = requested.AbsolutePath.StartsWith(folder + "/", StringComparison.Ordinal) ? requested.AbsolutePath[folder.Length..] : requested.AbsolutePath;
        Named = StoredNames.InPath(Path);
        // An action on one object may make another, for example the file of a completed upload.
        MakesState = Named is not null || StoredNames.AreMadeAt(Path);
        IsForEmbeddings = Operations.OperationOf(Path) == "embeddings";
        Streams = requested.AbsolutePath.EndsWith(":streamGenerateContent", StringComparison.Ordinal)
            || requested.Query.Split('?', '&').Contains("stream=true", StringComparer.OrdinalIgnoreCase);
    }

    public Uri Requested { get; }

    public Uri Origin { get; }

    public string Text { get; }

    /// <summary>Gets the path after the origin.</summary>
    public string Path { get; }

    /// <summary>Gets the stored object that the path names. Null: none.</summary>
    public StoredName? Named { get; }

    /// <summary>Gets whether the answer to a POST may report a new stored object.</summary>
    public bool MakesState { get; }

    /// <summary>Gets whether the answer to a GET is one stored object. It may name further objects, for example the files that a batch job has created.</summary>
    public bool IsOneObject => StoredNames.IsOneObjectAt(Path);

    /// <summary>Gets the known path, if a POST to it creates an answer.</summary>
    /// <param name="dialect">The declared dialect of the endpoint.</param>
    public AnswerPath? AnswerOn(WireDialect dialect)
    {
        ref var known = ref _answers[(int)dialect];
        return (Volatile.Read(ref known) ?? (known = [DialectTable.PathOf(dialect, Requested.AbsolutePath)]))[0];
    }

    /// <summary>Gets whether the address alone shows that a stream is requested.</summary>
    public bool Streams { get; }

    /// <summary>Gets whether a POST to the path asks for embeddings.</summary>
    public bool IsForEmbeddings { get; }

    /// <summary>Gets the address on one endpoint.</summary>
    /// <param name="target">The endpoint.</param>
    /// <param name="model">The caller's model, for an address with a place for it. Otherwise null.</param>
    /// <param name="withCredential">True if credentials in the caller's query are sent too.</param>
    public Uri On(HttpTarget target, string? model, bool withCredential)
    {
        var places = Volatile.Read(ref _places);
        foreach (var place in places)
        {
            if (ReferenceEquals(place.Target, target) && place.Model == model && place.WithCredential == withCredential)
                return place.Address;
        }

        var address = target.AddressFor(Requested, model, withCredential);
        // If two threads store at once, one result may be lost and is computed again.
        Volatile.Write(ref _places, places.Length == MostKept ? [new(target, model, withCredential, address)] : [.. places, new(target, model, withCredential, address)]);
        return address;
    }

    private sealed record Place(HttpTarget Target, string? Model, bool WithCredential, Uri Address);
}

/// <summary>Caches the routes that were used last. Thread-safe.</summary>
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
