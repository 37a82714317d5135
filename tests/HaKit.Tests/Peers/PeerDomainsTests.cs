using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Peers;
using Polly;

namespace HaKit.Tests.Peers;

/// <summary>Tests the names under which replicas speak of what a fault affects.</summary>
public sealed class PeerDomainsTests
{
    private static readonly EndpointPoolLimits Limits = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2));

    private readonly PeerDomains _domains = new("shop");

    public static TheoryData<FaultReach, string> Rows => Table(shared: true);

    public static TheoryData<FaultReach, string> OtherRows => Table(shared: false);

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(Rows))]
    public Task Two_endpoints_that_share_all_that_a_reach_is_about_have_one_name(FaultReach reach, string changed)
    {
        _domains.Subject(State(), reach).Should().Be(_domains.Subject(State(Changes[changed]), reach));
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(OtherRows))]
    public Task Two_endpoints_that_differ_in_what_a_reach_is_about_have_two_names(FaultReach reach, string changed)
    {
        _domains.Subject(State(), reach).Should().NotBe(_domains.Subject(State(Changes[changed]), reach));
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(FaultReach.Key)]
    [InlineData(FaultReach.Account)]
    [InlineData(FaultReach.RateLimit)]
    public Task The_credential_counts_before_the_name_that_the_options_give_to_it(FaultReach reach)
    {
        var a = State(o => o.Credential = "sk-1");
        _domains.Subject(a, reach).Should().NotBe(_domains.Subject(State(), reach));
        _domains.Subject(a, reach).Should().NotBe(_domains.Subject(State(o => o.Credential = "sk-2"), reach), "after a rotation the old key's cooldown does not count");
        _domains.Subject(a, reach).Should().Be(_domains.Subject(State(o => (o.Credential, o.KeyName, o.Account) = ("sk-1", "another", "another")), reach));
        _domains.Subject(a, reach).Should().Be(_domains.Subject(State(o => o.Headers["x-api-key"] = "sk-1"), reach), "a header of the endpoint may carry it");
        _domains.Subject(State(), reach).Should().Be(_domains.Subject(State(o => o.Headers["x-tenant"] = "sk-1"), reach), "this header carries none");
        var used = State(o => o.Credential = "sk-0");
        used.UsedCredential = "sk-1";
        _domains.Subject(a, reach).Should().Be(_domains.Subject(used, reach), "the credential that was sent counts");
        return Task.CompletedTask;
    }

    // Staging and production have the same names for the account and the key, and differ in one credential, wherever it is.
    public static TheoryData<FaultReach, string> Places
    {
        get
        {
            var data = new TheoryData<FaultReach, string>();
            foreach (var reach in new[] { FaultReach.Key, FaultReach.Account, FaultReach.RateLimit })
            {
                foreach (var place in Credentials.Keys)
                    data.Add(reach, place);
            }
            return data;
        }
    }

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(Places))]
    public Task Another_credential_gives_another_name_wherever_the_credential_is(FaultReach reach, string place)
    {
        var set = Credentials[place];
        var production = _domains.Subject(State(o => set(o, "sk-production")), reach);
        _domains.Subject(State(o => set(o, "sk-staging")), reach).Should().NotBe(production);
        _domains.Subject(State(o => set(o, "sk-production")), reach).Should().Be(production);
        _domains.Fingerprint(State(o => set(o, "sk-staging")), Limits).Should().NotBe(_domains.Fingerprint(State(o => set(o, "sk-production")), Limits));
        return Task.CompletedTask;
    }

    private static readonly Dictionary<string, Action<EndpointOptions, string>> Credentials = new()
    {
        ["credential"] = static (o, key) => o.Credential = key,
        ["api-key"] = static (o, key) => o.Headers["api-key"] = key,
        ["x-goog-api-key"] = static (o, key) => o.Headers["X-Goog-Api-Key"] = key,
        ["bearer"] = static (o, key) => o.Headers["Authorization"] = "Bearer " + key,
        ["behind the token of a gateway"] = static (o, key) =>
        {
            o.Headers["Authorization"] = "Bearer gateway";
            o.Headers["x-api-key"] = key;
        },
        ["of a gateway"] = static (o, key) => (o.Credential, o.Headers["Proxy-Authorization"]) = ("sk-provider", "Basic " + key),
        ["query"] = static (o, key) => o.Address = "https://models.example/v1?key=" + key,
        ["user info"] = static (o, key) => o.Address = $"https://app:{key}@models.example/v1",
    };

    [Theory(Timeout = 10_000)]
    [InlineData(FaultReach.Key, nameof(EndpointOptions.KeyName))]
    [InlineData(FaultReach.Account, nameof(EndpointOptions.Account))]
    [InlineData(FaultReach.RateLimit, nameof(EndpointOptions.Account))]
    [InlineData(FaultReach.Model, nameof(EndpointOptions.Model))]
    [InlineData(FaultReach.Region, nameof(EndpointOptions.Region))]
    [InlineData(FaultReach.Provider, nameof(EndpointOptions.Provider))]
    public Task A_fault_of_a_domain_that_is_not_named_affects_the_endpoint_only(FaultReach reach, string missing)
    {
        var unnamed = State(o => typeof(EndpointOptions).GetProperty(missing)!.SetValue(o, null));
        _domains.Subject(unnamed, reach).Should().Be(_domains.Subject(unnamed, FaultReach.Endpoint));
        _domains.Subject(State(), reach).Should().NotBe(_domains.Subject(State(), FaultReach.Endpoint));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_fingerprint_is_kept_until_something_that_it_is_about_changes()
    {
        var state = State();
        var first = _domains.Fingerprint(state, Limits);
        _domains.Fingerprint(state, Limits).Should().BeSameAs(first);
        _domains.Fingerprint(State(), Limits).Should().Be(first);

        _domains.Fingerprint(state, Limits with { Connect = TimeSpan.FromSeconds(3) }).Should().NotBe(first);
        _domains.Fingerprint(state, Limits with { FirstContent = TimeSpan.FromSeconds(3) }).Should().NotBe(first);
        _domains.Fingerprint(state, Limits with { Attempt = TimeSpan.FromSeconds(3) }).Should().NotBe(first);
        _domains.Fingerprint(state, Limits).Should().Be(first);
        state.UsedCredential = "sk-1";
        var rotated = _domains.Fingerprint(state, Limits);
        rotated.Should().NotBe(first);
        state.UsedCredential = "sk-2";
        _domains.Fingerprint(state, Limits).Should().NotBe(rotated);
        state.UsedCredential = null;
        state.Replace(Endpoint(o => o.Address = "https://other.example/v1"), ResiliencePipeline.Empty, null!, TimeSpan.Zero);
        _domains.Fingerprint(state, Limits).Should().NotBe(first);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task The_endpoints_own_time_limit_counts_before_the_pools()
    {
        var own = State(o => o.AttemptTimeout = new TimeoutOptions { Timeout = TimeSpan.FromSeconds(5) });
        var fingerprint = _domains.Fingerprint(own, Limits);
        fingerprint.Should().NotBe(_domains.Fingerprint(State(), Limits));
        fingerprint.Should().Be(_domains.Fingerprint(State(), Limits with { Attempt = TimeSpan.FromSeconds(5) }));
        fingerprint.Should().Be(_domains.Fingerprint(own, Limits with { Attempt = TimeSpan.FromSeconds(6) }));
        _domains.Fingerprint(State(), Limits with { Attempt = null }).Should().NotBe(_domains.Fingerprint(State(), Limits));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task Names_differ_with_the_key_and_do_not_run_together()
    {
        new PeerDomains("other").Subject(State(), FaultReach.Provider).Should().NotBe(_domains.Subject(State(), FaultReach.Provider));
        _domains.LimitSubject("ab", "c").Should().NotBe(_domains.LimitSubject("a", "bc"));
        _domains.Subject(State(o => o.Model = null), FaultReach.RateLimit).Should().NotBe(_domains.Subject(State(o => o.Model = ""), FaultReach.RateLimit), "nothing is not an empty name");
        _domains.Subject(State(), FaultReach.Provider).Should().MatchRegex("^[0-9a-f]{24}$");
        return Task.CompletedTask;
    }

    private static readonly Dictionary<string, Action<EndpointOptions>> Changes = new()
    {
        ["name"] = o => o.Name = "other",
        ["address"] = o => o.Address = "https://other.example/v1",
        ["provider"] = o => o.Provider = "azure",
        ["account"] = o => o.Account = "other",
        ["key"] = o => o.KeyName = "other",
        ["model"] = o => o.Model = "other",
        ["region"] = o => o.Region = "other",
    };

    // For each reach, what an endpoint's name for it is made of.
    private static readonly Dictionary<FaultReach, string[]> Parts = new()
    {
        [FaultReach.Key] = ["provider", "key"],
        [FaultReach.Account] = ["provider", "account"],
        [FaultReach.RateLimit] = ["provider", "account", "model", "region"],
        [FaultReach.Model] = ["provider", "model"],
        [FaultReach.Region] = ["provider", "region"],
        [FaultReach.Provider] = ["provider"],
        [FaultReach.Endpoint] = ["name", "address", "model"],
    };

    private static TheoryData<FaultReach, string> Table(bool shared)
    {
        var rows = new TheoryData<FaultReach, string>();
        foreach (var (reach, parts) in Parts)
        {
            foreach (var change in Changes.Keys.Where(c => parts.Contains(c) != shared))
                rows.Add(reach, change);
        }

        return rows;
    }

    private static PoolEndpoint Endpoint(Action<EndpointOptions>? change = null)
    {
        var options = new EndpointOptions { Name = "e", Address = "https://a.example/v1", Provider = "openai", Account = "acme", KeyName = "first", Model = "m", Region = "eu" };
        change?.Invoke(options);
        return new PoolEndpoint(options);
    }

    private static EndpointState State(Action<EndpointOptions>? change = null)
    {
        var endpoint = Endpoint(change);
        var health = new HealthTracker(new HealthOptions(), new Random(1));
        return new EndpointState(
            endpoint, health.Add(endpoint.Name, endpoint.Domains, TimeSpan.Zero), Limiter.Unlimited, Limiter.Unlimited, ResiliencePipeline.Empty,
            new UsualTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 3));
    }
}
