using System.Net;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Heartbeats;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Hosting;

namespace HaKit.AspNetCore.Tests;

/// <summary>Tests the heartbeat of a service, and how a pool's probe reads it.</summary>
public sealed class HeartbeatTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static async Task<ProbeResult> ProbeAsync(Site site)
    {
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { Endpoints = [new EndpointOptions { Name = "svc", Address = "http://localhost/v1" }], Heartbeat = { Enabled = false } });
        using var http = new HttpMessageInvoker(site.App.GetTestServer().CreateHandler());
        return await new HttpProbe("/heartbeat").ProbeAsync(new ProbeContext { Endpoint = pool.Endpoints[0], Http = http, Classifier = FaultClassifier.Default, Time = TimeProvider.System }, Ct);
    }

    [Fact]
    public async Task A_ready_service_tells_its_load_and_capacity_to_the_probe()
    {
        var gate = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        await using var site = await Site.StartAsync(map: a =>
        {
            a.MapHaHeartbeat("/heartbeat", o => (o.Capacity, o.Waiting) = (8, () => 2));
            a.MapGet("/work", async () =>
            {
                entered.TrySetResult();
                await gate.Task;
            }).CountAsHaLoad();
        });
        var before = (await ProbeAsync(site)).Load!.Running;
        var working = site.Http.GetAsync("/work", Ct);
        await entered.Task;
        (await ProbeAsync(site)).Load.Should().BeEquivalentTo(new { Running = before + 1, Waiting = 2, Capacity = 8 });
        gate.SetResult();
        (await working).Dispose();
        (await ProbeAsync(site)).Load!.Running.Should().Be(before);
    }

    [Fact]
    public async Task What_the_application_changes_after_the_heartbeat_was_mapped_takes_no_effect()
    {
        ServiceHeartbeatOptions given = null!;
        await using var site = await Site.StartAsync(map: a => a.MapHaHeartbeat("/heartbeat", o => (given = o).Capacity = 8));
        (given.Capacity, given.Waiting) = (-1, static () => throw new InvalidOperationException());
        (await ProbeAsync(site)).Load.Should().BeEquivalentTo(new { Waiting = 0, Capacity = 8 });
    }

    [Fact]
    public async Task A_service_that_stops_says_that_it_drains_and_for_how_long_to_stay_away()
    {
        await using var site = await Site.StartAsync(map: static a => a.MapHaHeartbeat("/heartbeat", o => o.RetryAfter = TimeSpan.FromSeconds(20)));
        var lifetime = (IHostApplicationLifetime)site.App.Services.GetService(typeof(IHostApplicationLifetime))!;
        lifetime.StopApplication();
        using var answer = await site.SendAsync(HttpMethod.Get, "/heartbeat");
        answer.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("status").GetString().Should().Be("draining");
        (await ProbeAsync(site)).Fault.Should().BeEquivalentTo(new { Kind = FaultKind.Throttled, RetryAfter = TimeSpan.FromSeconds(20) });
    }
}
