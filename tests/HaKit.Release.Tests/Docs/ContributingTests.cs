using System.Net;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Selection;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Release.Tests;

/// <summary>
/// Follows the steps of CONTRIBUTING.md. HaKit.Tests adds a dialect within the library. The contract tests and PageTableTests check the steps for a preset.
/// </summary>
public sealed class ContributingTests
{
    [Fact]
    public void Every_room_is_on_the_map()
    {
        var map = string.Join('\n', Page.Section("CONTRIBUTING.md", "The map of rooms"));
        foreach (var room in Directory.GetDirectories(Repository.PathOf("src", "HaKit")).Select(d => Path.GetFileName(d)!).Where(n => n is not ("bin" or "obj")))
            map.Should().MatchRegex($"[`/]{room}[`/]", "somebody will look for what is in {0}", room);
        foreach (var package in Repository.Packages)
            map.Should().Contain("src/" + package);
    }

    [Theory]
    [InlineData("Add a provider dialect")]
    [InlineData("Add a selector preset")]
    [InlineData("Add a probe")]
    public void Adding_something_takes_fewer_than_ten_lines_of_instructions(string heading) =>
        Page.Section("CONTRIBUTING.md", heading).Count(l => l.Length > 0 && !l.TrimStart().StartsWith('|')).Should().BeInRange(2, 9);

    [Fact]
    public async Task A_selector_of_ones_own_takes_one_class_and_one_call()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", o =>
        {
            o.Heartbeat.Enabled = false;
            o.Endpoints = [new() { Name = "a" }, new() { Name = "b" }, new() { Name = "c" }];
        }).UseSelector<LastOne>();
        await using var provider = services.BuildServiceProvider();

        for (var i = 0; i < 5; i++)
            (await provider.GetRequiredService<EndpointPool>().ExecuteAsync(0, static (attempt, _, _) => new ValueTask<string>(attempt.Endpoint.Name), TestContext.Current.CancellationToken)).Should().Be("c");
    }

    private sealed class LastOne : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => candidates.Length - 1;
    }

    [Fact]
    public void A_probe_of_ones_own_takes_one_class_and_one_call()
    {
        var time = new ManualTimeProvider();
        using var main = new FakeHttpEndpoint(new FakeAiOptions { ApiKey = "k", Time = time });
        using var other = new FakeHttpEndpoint(new FakeAiOptions { Time = time });
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(time);
        services.AddHaEndpointPool("models", o => o.Endpoints = [
            new() { Name = "main", Address = "https://main.example/v1", Credential = "k" },
            new() { Name = "other", Address = "https://other.example/v1" },
        ]).AddProbe("main", new FirstModelProbe());
        services.ReplaceHaEndpoints("models", ("main", main), ("other", other));
        using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredService<EndpointPool>();

        time.Advance(TimeSpan.FromSeconds(40));
        pool.GetStatus().Endpoints[0].Heartbeat!.Proved.Should().Be(ProbeLevel.Authorized);
        main.Faults.Always(FakeFaults.OpenAI.Overloaded(), where: request => request.IsProbe);
        time.Advance(TimeSpan.FromSeconds(40));
        pool.GetStatus().Endpoints[0].Health.Status.Should().Be(EndpointHealthStatus.Ejected);
        pool.GetStatus().Endpoints[0].Health.Cause!.Kind.Should().Be(FaultKind.Overloaded, "the pool's own classifier read the answer");
    }

    private sealed class FirstModelProbe : IProbe
    {
        public ProbeLevel Level => ProbeLevel.Authorized;

        public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(context.Endpoint.Address + "/models"));
            await context.AuthorizeAsync(request, cancellationToken);
            using var response = await context.Http.SendAsync(request, cancellationToken);
            return response.StatusCode == HttpStatusCode.OK
                ? default
                : new ProbeResult(context.Classifier.Classify(new FaultEvidence { StatusCode = (int)response.StatusCode, Headers = response.Headers, Body = await response.Content.ReadAsByteArrayAsync(cancellationToken) }));
        }
    }
}
