using HaKit.Http;

namespace HaKit;

/// <summary>Sets the profile of requests that an SDK creates.</summary>
public static class EndpointPoolAmbientExtensions
{
    /// <summary>
    /// Gives the profile to every HTTP request to the pool that is made before the result is disposed, whichever SDK makes it. The profile flows across
    /// awaits. A profile on the request itself (<see cref="EndpointPoolHandler.ProfileKey"/>) takes precedence, and each <c>x-ha-*</c> header overrides its
    /// own property. If calls of this method are nested, only the innermost profile applies. Thread-safe: other code that runs at the same time has its own
    /// profile.
    /// </summary>
    /// <param name="pool">The pool that gets the requests.</param>
    /// <param name="profile">The profile of the requests.</param>
    /// <returns>A handle that ends the profile. Dispose it in the method that created it.</returns>
    /// <example><code>
    /// using (pool.With(new RequestProfile { AffinityKey = conversation, MayRepeat = false }))
    ///     await chat.CompleteChatAsync(messages);
    /// </code></example>
    public static IDisposable With(this EndpointPool pool, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(pool);
        RequestProfile.ThrowIfNull(profile);
        return new AmbientProfile(pool, profile);
    }
}
