using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HaKit.Testing.Tests;

/// <summary>Starts an application as its own code does, with fakes behind its pool.</summary>
public sealed class WebApplicationTests
{
    [Fact]
    public async Task An_application_serves_from_its_standby_while_the_main_quota_is_used_up()
    {
        using var main = new FakeHttpEndpoint();
        using var standby = new FakeHttpEndpoint();
        await using var application = new Application().WithWebHostBuilder(host => host.ConfigureTestServices(services =>
            services.ReplaceHaEndpoints("chat", ("main", main), ("standby", standby))));
        using var browser = application.CreateClient();

        (await browser.GetStringAsync("/ask", TestContext.Current.CancellationToken)).Should().Be("OK");
        main.Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        (await browser.GetStringAsync("/ask", TestContext.Current.CancellationToken)).Should().Be("OK");

        main.Counts.AnsweredWhole.Should().Be(1);
        standby.Counts.AnsweredWhole.Should().Be(1);
    }

    /// <summary>Represents the Program of an application: a pool, a client over it, and a page that makes calls.</summary>
    private sealed class Application : WebApplicationFactory<Application>
    {
        protected override IHostBuilder CreateHostBuilder() => Host.CreateDefaultBuilder().ConfigureWebHostDefaults(static host => host
            .ConfigureServices(static services =>
            {
                services.AddHaEndpointPool("chat", static options =>
                {
                    options.Endpoints.Add(new() { Name = "main", Address = "https://main.example/v1" });
                    options.Endpoints.Add(new() { Name = "standby", Address = "https://standby.example/v1", Tier = 1 });
                });
                services.AddHttpClient("ai").AddHaEndpointPoolHandler("chat");
            })
            .Configure(static app => app.Run(static async context =>
            {
                var client = context.RequestServices.GetRequiredService<IHttpClientFactory>().CreateClient("ai");
                using var answer = await client.PostAsJsonAsync(
                    "chat/completions", new { model = "m", messages = new[] { new { role = "user", content = "Hello" } } }, context.RequestAborted);
                answer.EnsureSuccessStatusCode();
                await context.Response.WriteAsync("OK", context.RequestAborted);
            })));

        protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.UseContentRoot(AppContext.BaseDirectory);
    }
}
