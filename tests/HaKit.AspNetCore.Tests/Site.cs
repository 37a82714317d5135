using System.Security.Claims;
using System.Text.Encodings.Web;
using HaKit.Testing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HaKit.AspNetCore.Tests;

/// <summary>
/// Runs an application with pools and the pages, in memory and in virtual time. A request with the header <c>x-user</c> is a request of that user.
/// </summary>
internal sealed class Site : IAsyncDisposable
{
    private Site(WebApplication app, HttpClient http, LogRecorder logs, ManualTimeProvider time) => (App, Http, Logs, Time) = (app, http, logs, time);

    public WebApplication App { get; }

    public HttpClient Http { get; }

    public LogRecorder Logs { get; }

    public ManualTimeProvider Time { get; }

    public EndpointPool Pool(string name = "chat") => App.Services.GetRequiredKeyedService<EndpointPool>(name);

    public static async Task<Site> StartAsync(
        Action<IServiceCollection>? services = null, Action<WebApplication>? map = null, Action<EndpointPoolOptions>? pool = null, bool users = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        var (logs, time) = (new LogRecorder(), new ManualTimeProvider());
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddHaEndpointPool("chat", pool ?? (o =>
        {
            o.Heartbeat.Enabled = false;
            o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "https://user:pw@a.test:8443/v1?key=k", Limits = new() { MaxConcurrency = 4 } });
            o.Endpoints.Add(new EndpointOptions { Name = "b", Address = "https://b.test/v1", Tier = 1 });
        }));
        if (users)
        {
            builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, Users>("test", null);
            builder.Services.AddAuthorization(o => o.AddPolicy("ops", p => p.RequireUserName("olga")));
            builder.Services.AddAntiforgery();
        }
        services?.Invoke(builder.Services);
        var app = builder.Build();
        if (users)
            app.UseAuthentication().UseAuthorization();
        (map ?? (static a => a.MapHaEndpointPools("/ha", o => o.OperatorPolicy = "ops")))(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new Site(app, app.GetTestClient(), logs, time);
    }

    /// <summary>Makes the given number of calls to the pool, in virtual time.</summary>
    public void Call(int times = 1, Func<EndpointAttempt, Exception?>? failure = null)
    {
        for (var i = 0; i < times; i++)
        {
            Time.Run(async () =>
            {
                try
                {
                    await Pool().ExecuteAsync((this, failure), static async (attempt, s, token) =>
                    {
                        await Task.Delay(TimeSpan.FromMilliseconds(200), s.Item1.Time, token).ConfigureAwait(false);
                        return s.failure?.Invoke(attempt) is { } exception ? throw exception : 1;
                    }).ConfigureAwait(false);
                }
                catch (EndpointPoolException)
                {
                }
                return 0;
            });
        }
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? user = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (user is not null)
            request.Headers.Add("x-user", user);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.DisposeAsync();
    }

    private sealed class Users(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var name = Request.Headers["x-user"].ToString();
            return Task.FromResult(name.Length == 0
                ? AuthenticateResult.NoResult()
                : AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, name)], "test")), "test")));
        }
    }
}
