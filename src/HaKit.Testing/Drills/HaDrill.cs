using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Testing;

/// <summary>
/// Your outage as a unit test: runs the application's own registration, with its tiers, limits, policies and handlers, through the matrix of faults in virtual time.
/// </summary>
/// <remarks>
/// For each fault the container is built anew, with fakes in the place of the pool's endpoints and a clock that the drill moves. Nothing leaves the process, and
/// nothing sleeps: a minute of virtual time takes milliseconds. Code of the application that waits on another clock than the container's <see cref="TimeProvider"/>
/// cannot be drilled; the table says so.
/// </remarks>
public static class HaDrill
{
    /// <summary>Runs the drill, and fails with its table where the application does not survive.</summary>
    /// <param name="services">The application's registrations; they are not changed.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="configure">Chooses faults, and what counts; null for the defaults.</param>
    /// <returns>What the drill showed.</returns>
    /// <exception cref="HaDrillException">Something was missed; the message is the table.</exception>
    /// <exception cref="InvalidOperationException">The pool is not registered, or nothing that could be called is.</exception>
    public static Task<HaDrillResult> SurvivesAsync(IServiceCollection services, string pool, Action<HaDrillOptions>? configure = null)
    {
        var result = Run(services, pool, configure);
        return result.Survived ? Task.FromResult(result) : Task.FromException<HaDrillResult>(new HaDrillException(result));
    }

    /// <summary>Runs the drill and tells what it showed, survived or not.</summary>
    /// <inheritdoc cref="SurvivesAsync"/>
    public static HaDrillResult Run(IServiceCollection services, string pool, Action<HaDrillOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        var options = new HaDrillOptions();
        configure?.Invoke(options);
        var members = DrilledApplication.MembersOf(services, pool);
        var healthy = Episode(HaDrillScene.Healthy(members, options));
        var rows = new List<HaDrillRow> { healthy.Row };
        // What does not work when all is well needs no faults.
        if (healthy.Row.Misses.Count == 0)
            rows.AddRange(HaDrillScene.All(members, options).Select(scene => Episode(scene, healthy.Median).Row));
        return new HaDrillResult(pool, rows);

        (HaDrillRow Row, TimeSpan Median) Episode(HaDrillScene scene, TimeSpan healthyMedian = default) =>
            new HaDrillEpisode(services, pool, options, members, scene).Run(healthyMedian);
    }
}
