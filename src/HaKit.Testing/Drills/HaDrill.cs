using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Testing;

/// <summary>
/// Tests an application's behaviour during outages as a unit test. The drill runs the application's own registration, with its tiers, limits, policies and
/// handlers, under every fault of the drill in virtual time.
/// </summary>
/// <remarks>
/// For each fault the drill builds a new container, replaces the pool's endpoints with fakes and moves the clock itself. There is no network traffic and no
/// sleep: a minute of virtual time takes milliseconds. The drill cannot test code that waits on a clock other than the container's <see cref="TimeProvider"/>;
/// the table reports such code.
/// </remarks>
public static class HaDrill
{
    /// <summary>Runs the drill and throws an exception with the table when the application misses a requirement.</summary>
    /// <param name="services">The application's registrations. The drill does not change them.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="configure">Selects the faults and the requirements; null for the defaults.</param>
    /// <returns>The results of the drill.</returns>
    /// <exception cref="HaDrillException">A requirement was missed. The message is the table.</exception>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The pool is not registered, or the application registers no client that could be called.</exception>
    public static Task<HaDrillResult> SurvivesAsync(IServiceCollection services, string pool, Action<HaDrillOptions>? configure = null)
    {
        var result = Run(services, pool, configure);
        return result.Survived ? Task.FromResult(result) : Task.FromException<HaDrillResult>(new HaDrillException(result));
    }

    /// <summary>Runs the drill and returns the results, even if the application misses requirements.</summary>
    /// <inheritdoc cref="SurvivesAsync"/>
    public static HaDrillResult Run(IServiceCollection services, string pool, Action<HaDrillOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        var options = new HaDrillOptions();
        configure?.Invoke(options);
        options.Validate();
        var members = DrilledApplication.MembersOf(services, pool);
        var healthy = Episode(HaDrillScene.Healthy(members, options));
        var rows = new List<HaDrillRow> { healthy.Row };
        // An application that misses requirements without any fault is not tested with faults.
        if (healthy.Row.Misses.Count == 0)
            rows.AddRange(HaDrillScene.All(members, options).Select(scene => Episode(scene, healthy.Median).Row));
        return new HaDrillResult(pool, rows);

        (HaDrillRow Row, TimeSpan Median) Episode(HaDrillScene scene, TimeSpan healthyMedian = default) =>
            new HaDrillEpisode(services, pool, options, members, scene).Run(healthyMedian);
    }
}
