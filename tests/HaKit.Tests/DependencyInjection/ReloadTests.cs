using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HaKit.Tests.DependencyInjection;

public sealed class ReloadTests : IAsyncLifetime
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Settings _settings = new();
    private readonly LogRecorder _log = new() { MinimumLevel = LogLevel.Information };
    private Action? _whileConfigured;
    private IHost _app = null!;

    private EndpointPool Pool => _app.Services.GetRequiredKeyedService<EndpointPool>("chat");

    public async ValueTask InitializeAsync()
    {
        _settings["chat:Heartbeat:Enabled"] = "false";
        Endpoint(0, "a");
        Endpoint(1, "b");
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(_log);
        ((IConfigurationBuilder)builder.Configuration).Add(_settings);
        builder.Services.AddHaEndpointPool("chat", builder.Configuration.GetSection("chat")).ConfigureEndpointPipeline(static (_, endpoint) =>
        {
            if (endpoint.Name == "odd")
                throw new ArgumentException("there is no strategy for this endpoint");
        });
        builder.Services.Configure<EndpointPoolOptions>("chat", _ => Interlocked.Exchange(ref _whileConfigured, null)?.Invoke());
        _app = builder.Build();
        await _app.StartAsync(Token);
    }

    public ValueTask DisposeAsync()
    {
        _app.Dispose();
        return default;
    }

    [Theory]
    [InlineData("chat:Endpoints:1:Weight", "-2", "Endpoints:1:Weight of 'b' is -2")]
    [InlineData("chat:Endpoints:1:Name", "a", "2 endpoints of the name 'a'")]
    [InlineData("chat:ConnectTimeout", "soon", "chat:ConnectTimeout has a value that cannot be converted to TimeSpan")]
    [InlineData("chat:Endpoints:1:Name", "odd", "it threw ArgumentException")]
    public async Task An_invalid_reload_keeps_the_last_good_configuration_says_why_and_drops_no_call(string key, string value, string why)
    {
        var answer = new TaskCompletionSource<string>();
        var call = Pool.ExecuteAsync(answer, static (_, answer, _) => new ValueTask<string>(answer.Task), Token);
        var before = Pool.Endpoints;

        _settings[key] = value;
        Endpoint(2, "c");
        _settings.Reload();

        Pool.Endpoints.Should().Equal(before);
        var entry = _log.Entries.Should().ContainSingle(e => e.Level == LogLevel.Error).Subject;
        entry.Message.Should().StartWith("Pool chat keeps its last good configuration").And.Contain(why);
        answer.SetResult("undisturbed");
        (await call).Should().Be("undisturbed");
        (await Pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Token)).Should().BeOneOf("a", "b");
    }

    [Fact]
    public void A_reload_while_the_pool_is_disposed_is_no_error()
    {
        _whileConfigured = Pool.Dispose;
        Endpoint(2, "c");
        _settings.Reload();
        _whileConfigured.Should().BeNull();
        _log.Entries.Should().NotContain(e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_good_reload_after_a_bad_one_is_taken_while_a_call_runs_on()
    {
        _settings["chat:Endpoints:0:Address"] = "nowhere";
        _settings.Reload();
        var answer = new TaskCompletionSource<string>();
        var call = Pool.ExecuteAsync(new RequestProfile { Endpoints = ["b"] }, answer, static (_, answer, _) => new ValueTask<string>(answer.Task), Token);

        _settings.Remove("chat:Endpoints:1:Name");
        _settings.Remove("chat:Endpoints:1:Address");
        Endpoint(0, "c");
        _settings.Reload();

        Pool.Endpoints.Select(e => e.Name).Should().Equal("c");
        answer.SetResult("from the one that left");
        (await call).Should().Be("from the one that left");
        (await Pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Token)).Should().Be("c");
        _log.Entries.Select(e => e.Level).Where(l => l == LogLevel.Error).Should().ContainSingle("only the bad one was refused");
    }

    [Fact]
    public void A_reload_with_a_setting_that_is_probably_a_mistake_is_taken_and_warns_once()
    {
        _settings["chat:Selection:Preset"] = "Cheapest";
        _settings.Reload();
        _settings["chat:Retry:MaxRetryAttempts"] = "2";
        _settings.Reload();
        Pool.Options.Retry.MaxRetryAttempts.Should().Be(2);
        _log.Entries.Should().ContainSingle(e => e.Level == LogLevel.Warning).Which.Message.Should().Contain("probably a mistake: Selection:Preset is Cheapest");
    }

    [Fact]
    public void A_reload_while_the_pool_is_created_is_not_lost()
    {
        var configuration = ((IConfigurationBuilder)new ConfigurationBuilder()).Add(_settings).Build();
        var services = new ServiceCollection();
        var isFirst = true;
        services.AddHaEndpointPool("chat", configuration.GetSection("chat")).ConfigureEndpointPipeline((_, _) =>
        {
            if (!isFirst)
                return;
            isFirst = false;
            Endpoint(2, "c");
            _settings.Reload();
        });
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<EndpointPool>().Endpoints.Select(e => e.Name).Should().Equal("a", "b", "c");
    }

    // The names of the standard resilience options are accepted, and those without a meaning for a pool are named, also if a reload brings them.
    [Theory]
    [InlineData("Retry:BackoffType", "Constant")]
    [InlineData("Retry:UseJitter", "false")]
    [InlineData("Retry:ShouldRetryAfterHeader", "false")]
    [InlineData("Hedging:MaxHedgedAttempts", "3")]
    [InlineData("Hedging:Delay", "00:00:01")]
    [InlineData("RateLimiter:DefaultRateLimiterOptions:PermitLimit", "7")]
    [InlineData("Endpoint:Timeout:Timeout", "00:00:09")]
    [InlineData("Endpoint:CircuitBreaker:FailureRatio", "0.5")]
    [InlineData("Endpoint:RateLimiter:DefaultRateLimiterOptions:PermitLimit", "7")]
    public void A_reload_with_a_setting_that_means_nothing_to_a_pool_says_so_once_for_each_value(string setting, string value)
    {
        Told().Should().Be(0);
        _settings["chat:" + setting] = value;
        _settings.Reload();
        Told().Should().Be(1);
        _settings.Reload();
        Told().Should().Be(1, "nothing changed");
        _settings["chat:" + setting] = value.Replace('7', '8').Replace("9", "8").Replace("0.5", "0.6").Replace("00:00:01", "00:00:02").Replace("3", "4").Replace("false", "true").Replace("Constant", "Linear");
        _settings.Reload();
        Told().Should().Be(2, "the new value is ignored too");

        int Told() => _log.Entries.Count(e => e.Message.Contains("have no effect", StringComparison.Ordinal) && e.Message.Contains(string.Join(':', setting.Split(':').Take(setting.StartsWith("RateLimiter", StringComparison.Ordinal) ? 1 : 2)), StringComparison.Ordinal));
    }

    [Fact]
    public void A_pool_that_cannot_be_created_watches_no_configuration()
    {
        var source = new CountedSource();
        var services = new ServiceCollection().AddSingleton<IOptionsChangeTokenSource<EndpointPoolOptions>>(source);
        services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new EndpointOptions { Name = "a" })).ConfigureEndpointPipeline(static (_, _) => throw new FormatException());
        using var provider = services.BuildServiceProvider();

        provider.Invoking(p => p.GetRequiredService<EndpointPool>()).Should().Throw<FormatException>();
        source.Callbacks.Should().Be(0);
    }

    private sealed class CountedSource : IOptionsChangeTokenSource<EndpointPoolOptions>, IChangeToken, IDisposable
    {
        public int Callbacks { get; private set; }

        public string Name => "chat";

        public bool HasChanged => false;

        public bool ActiveChangeCallbacks => true;

        public IChangeToken GetChangeToken() => this;

        public IDisposable RegisterChangeCallback(Action<object?> callback, object? state)
        {
            Callbacks++;
            return this;
        }

        public void Dispose() => Callbacks--;
    }

    private void Endpoint(int index, string name)
    {
        _settings[$"chat:Endpoints:{index}:Name"] = name;
        _settings[$"chat:Endpoints:{index}:Address"] = $"http://127.0.0.1:{9001 + index}/v1";
    }

    /// <summary>A source that changes only on request.</summary>
    private sealed class Settings : IConfigurationSource
    {
        private readonly Provider _provider = new();

        public string this[string key]
        {
            set => _provider.Set(key, value);
        }

        public void Remove(string key) => _provider.Remove(key);

        public void Reload() => _provider.Reload();

        public IConfigurationProvider Build(IConfigurationBuilder builder) => _provider;

        private sealed class Provider() : MemoryConfigurationProvider(new MemoryConfigurationSource())
        {
            public void Remove(string key) => Data.Remove(key);

            public void Reload() => OnReload();
        }
    }
}
