using HaKit.Http;

namespace HaKit;

/// <summary>Says more of requests than an SDK can.</summary>
public static class EndpointPoolAmbientExtensions
{
    /// <summary>
    /// Gives every HTTP request to the pool that is made before the result is disposed of the given profile, whichever SDK makes it. Flows over awaits. A profile on
    /// the request itself (<see cref="EndpointPoolHandler.ProfileKey"/>) wins, and so do headers <c>x-ha-*</c>, each for what it says. Within another one the inner
    /// one holds alone. Thread-safe: code that runs beside it has its own.
    /// </summary>
    /// <param name="pool">The pool that is called.</param>
    /// <param name="profile">What is known of the requests.</param>
    /// <returns>Ends it; to be disposed of in the method that made it.</returns>
    /// <example><code>
    /// using (pool.With(new RequestProfile { AffinityKey = conversation, MayRepeat = false }))
    ///     await chat.CompleteChatAsync(messages);
    /// </code></example>
    public static IDisposable With(this EndpointPool pool, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(profile);
        return new AmbientProfile(pool, profile);
    }
}
