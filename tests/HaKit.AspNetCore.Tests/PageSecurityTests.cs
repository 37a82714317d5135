using System.Net;
using HaKit.AspNetCore.Dashboard;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.AspNetCore.Tests;

public sealed class PageSecurityTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://127.0.0.1:5000", true)]
    [InlineData("http://localhost:5000", true)]
    [InlineData("http://[::1]:5000", true)]
    [InlineData("http://0.0.0.0:5000", false)]
    [InlineData("http://[::]:5000", false)]
    [InlineData("http://+:5000", false)]
    [InlineData("http://*:80", false)]
    [InlineData("https://ops.example", false)]
    public void Addresses_beyond_loopback_are_told_apart(string address, bool isLoopback) => PageSecurity.IsLoopback(address).Should().Be(isLoopback);

    [Theory(Timeout = 60_000)]
    [InlineData("http://0.0.0.0:0", "none", true)]
    [InlineData("http://127.0.0.1:0", "none", false)]
    [InlineData("http://0.0.0.0:0", "required", false)]
    [InlineData("http://0.0.0.0:0", "fallback", false)]
    [InlineData("http://0.0.0.0:0", "anonymous", true)]
    [InlineData("http://0.0.0.0:0", "fallback, anonymous", true)]
    public async Task A_dashboard_that_other_machines_reach_without_authorization_is_told_at_start_up(string url, string authorization, bool warns)
    {
        var logs = new LogRecorder();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url);
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Services.AddAuthentication();
        builder.Services.AddAuthorization(o =>
        {
            if (authorization.StartsWith("fallback", StringComparison.Ordinal))
                o.FallbackPolicy = o.DefaultPolicy;
        });
        builder.Services.AddHaEndpointPool("chat", o =>
        {
            o.Heartbeat.Enabled = false;
            o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "https://a.test/v1" });
        });
        await using var app = builder.Build();
        app.UseAuthorization();
        var pages = app.MapHaEndpointPools();
        if (authorization is "required" or "anonymous")
            pages.RequireAuthorization();
        if (authorization.EndsWith("anonymous", StringComparison.Ordinal))
            pages.AllowAnonymous();
        await app.StartAsync(Ct);
        logs.Entries.Count(e => e.Category == "HaKit.Dashboard" && e.Level == LogLevel.Warning).Should().Be(warns ? 1 : 0);
        logs.Entries.Should().NotContain(e => e.Category == "HaKit.Status", "the dashboard has a pool to show");
        await app.StopAsync(Ct);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("/ha")]
    [InlineData("/ha/dashboard.js")]
    [InlineData("/ha/dashboard.css")]
    [InlineData("/ha/status")]
    [InlineData("/ha/events")]
    [InlineData("/ha/explain?pool=chat")]
    [InlineData("/ha/explain?pool=none")]
    public async Task Every_answer_has_security_headers(string path)
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(HttpMethod.Get, path);
        foreach (var header in (string[])["Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy"])
            response.Headers.Contains(header).Should().BeTrue(header);
    }
}
