using System.Net;
using System.Text.Json;
using HaKit.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.AspNetCore.Tests;

public sealed class OrderTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static EndpointHealthStatus Status(Site site, string endpoint = "a") => site.Pool().GetStatus().Endpoints.Single(e => e.Endpoint.Name == endpoint).Health.Status;

    private static async Task<HttpStatusCode> OrderAsync(Site site, string path, string? user = "olga")
    {
        using var page = await site.SendAsync(HttpMethod.Get, "/ha/token", user);
        page.StatusCode.Should().Be(HttpStatusCode.OK);
        var token = JsonDocument.Parse(await page.Content.ReadAsStringAsync(Ct)).RootElement;
        var cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var answer = await site.SendAsync(HttpMethod.Post, path, user, ("Cookie", cookie), (token.GetProperty("header").GetString()!, token.GetProperty("token").GetString()!));
        return answer.StatusCode;
    }

    [Fact]
    public async Task Without_a_policy_there_are_no_orders_at_all()
    {
        await using var site = await Site.StartAsync(map: static a => a.MapHaEndpointPools("/ha"));
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Post, "/ha/pools/chat/endpoints/a/drain"), (HttpMethod.Post, "/ha/pools/chat/promote?tier=1"), (HttpMethod.Get, "/ha/token")])
            (await site.SendAsync(method, path, "olga")).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await site.Http.GetStringAsync("/ha", Ct)).Should().Contain("data-orders=\"off\"");
        Status(site).Should().Be(EndpointHealthStatus.Healthy);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("mallory", HttpStatusCode.Forbidden)]
    [InlineData("olga", HttpStatusCode.BadRequest)]
    public async Task Strangers_others_and_operators_without_the_page_s_token_are_refused(string? user, HttpStatusCode expected)
    {
        await using var site = await Site.StartAsync();
        (await site.SendAsync(HttpMethod.Post, "/ha/pools/chat/endpoints/a/force-down", user)).StatusCode.Should().Be(expected);
        Status(site).Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public async Task An_operator_drains_forces_down_brings_up_promotes_and_fails_back()
    {
        await using var site = await Site.StartAsync();
        (await OrderAsync(site, "/ha/pools/chat/endpoints/a/drain")).Should().Be(HttpStatusCode.Accepted);
        Status(site).Should().Be(EndpointHealthStatus.Draining);
        (await OrderAsync(site, "/ha/pools/chat/endpoints/a/force-down")).Should().Be(HttpStatusCode.Accepted);
        Status(site).Should().Be(EndpointHealthStatus.ForcedDown);
        (await OrderAsync(site, "/ha/pools/chat/endpoints/a/bring-up")).Should().Be(HttpStatusCode.Accepted);
        Status(site).Should().Be(EndpointHealthStatus.SlowStart);
        (await OrderAsync(site, "/ha/pools/chat/promote?tier=1")).Should().Be(HttpStatusCode.Accepted);
        site.Pool().GetStatus().FirstTier.Should().Be(1);
        (await OrderAsync(site, "/ha/pools/chat/fail-back")).Should().Be(HttpStatusCode.Accepted);
        site.Pool().GetStatus().FirstTier.Should().Be(0);
        site.Logs.Entries.Select(e => e.Message).Should().Contain("Pool chat: olga ordered drain of a on the dashboard.");
    }

    [Theory]
    [InlineData("eu%2Fa")]
    [InlineData("eu%2fa")]
    public async Task A_name_with_a_slash_can_be_ordered(string escaped)
    {
        await using var site = await Site.StartAsync(pool: static o => { o.Heartbeat.Enabled = false; o.Endpoints.Add(new EndpointOptions { Name = "eu/a" }); });
        (await OrderAsync(site, $"/ha/pools/chat/endpoints/{escaped}/force-down")).Should().Be(HttpStatusCode.Accepted);
        Status(site, "eu/a").Should().Be(EndpointHealthStatus.ForcedDown);
    }

    [Theory]
    [InlineData("/ha/pools/chat/promote")]
    [InlineData("/ha/pools/chat/promote?tier=")]
    [InlineData("/ha/pools/chat/promote?tier=-1")]
    [InlineData("/ha/pools/chat/promote?tier=one")]
    [InlineData("/ha/pools/chat/promote?tier=99999999999")]
    public async Task Malformed_orders_are_400(string path)
    {
        await using var site = await Site.StartAsync();
        (await OrderAsync(site, path)).Should().Be(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("/ha/pools/none/endpoints/a/drain")]
    [InlineData("/ha/pools/chat/endpoints/none/drain")]
    [InlineData("/ha/pools/chat/endpoints/a/explode")]
    [InlineData("/ha/pools/chat/promote?tier=7")]
    public async Task Orders_about_what_there_is_not_are_404(string path)
    {
        await using var site = await Site.StartAsync();
        (await OrderAsync(site, path)).Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Orders_without_antiforgery_or_authorization_are_refused_when_they_are_mapped()
    {
        var start = () => Site.StartAsync(users: false);
        (await start.Should().ThrowAsync<InvalidOperationException>()).WithMessage("*orders need authorization*AddAuthorization*");
        start = () => Site.StartAsync(s => s.AddAuthorization(), users: false);
        (await start.Should().ThrowAsync<InvalidOperationException>()).WithMessage("*orders need antiforgery*");
    }

    [Fact]
    public async Task The_whole_of_it_can_be_closed_to_strangers()
    {
        await using var site = await Site.StartAsync(map: static a => a.MapHaEndpointPools("/ha").RequireAuthorization("ops"));
        foreach (var path in (string[])["/ha", "/ha/status", "/ha/events", "/ha/explain?pool=chat", "/ha/dashboard.js"])
            (await site.SendAsync(HttpMethod.Get, path)).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        (await site.SendAsync(HttpMethod.Get, "/ha/status", "olga")).StatusCode.Should().Be(HttpStatusCode.OK);
    }
}
