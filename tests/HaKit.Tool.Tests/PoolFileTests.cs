using FluentAssertions;

namespace HaKit.Tool.Tests;

public sealed class PoolFileTests
{
    private static readonly string[] NotSimulated =
    [
        nameof(EndpointPoolOptions.Origin), nameof(EndpointPoolOptions.ConnectTimeout), nameof(EndpointPoolOptions.Http), // no addresses
        nameof(EndpointPoolOptions.Recovery), nameof(EndpointPoolOptions.OnFault), // code, which a file cannot hold
        nameof(EndpointPoolOptions.Sharing), // one replica
        nameof(EndpointPoolOptions.Seed), // the world's own
    ];

    [Fact]
    public void A_simulation_follows_each_setting_of_the_pool_file_but_those_listed_as_not_simulated()
    {
        var from = new EndpointPoolOptions
        {
            AllowEmpty = true,
            AttemptTimeout = new TimeoutOptions(),
            MaxWait = TimeSpan.FromSeconds(7),
            MaxWaitingCalls = 7,
            Objective = new ObjectiveOptions(),
        };
        var to = new EndpointPoolOptions();

        PoolFile.Copy(from, to);

        typeof(EndpointPoolOptions).GetProperties().Where(p => p.CanWrite && !Equals(p.GetValue(from), p.GetValue(to))).Select(p => p.Name)
            .Should().BeSubsetOf(NotSimulated);
        typeof(EndpointPoolOptions).GetProperties().Select(p => p.Name).Should().Contain(NotSimulated);
    }
}
