namespace HaKit.Http;

/// <summary>
/// Holds the ambient profiles of the current code, the innermost first. They flow with the execution context, so they apply to all requests that an SDK sends
/// inside an await.
/// </summary>
internal sealed class AmbientProfile : IDisposable
{
    private static readonly AsyncLocal<AmbientProfile?> s_current = new();

    private readonly AmbientProfile? _outer;
    private readonly EndpointPool _pool;
    private readonly RequestProfile _profile;

    public AmbientProfile(EndpointPool pool, RequestProfile profile)
    {
        (_pool, _profile, _outer) = (pool, profile, s_current.Value);
        s_current.Value = this;
    }

    /// <summary>Gets the ambient profile for calls of this pool. Null: none.</summary>
    public static RequestProfile? GetCurrent(EndpointPool pool)
    {
        for (var scope = s_current.Value; scope is not null; scope = scope._outer)
        {
            if (ReferenceEquals(scope._pool, pool))
                return scope._profile;
        }

        return null;
    }

    public void Dispose() => s_current.Value = _outer;
}
