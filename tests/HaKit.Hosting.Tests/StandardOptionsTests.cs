using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HaKit.Hosting.Tests;

/// <summary>Tests that settings of the standard resilience handlers carry over to a pool.</summary>
public sealed class StandardOptionsTests : IDisposable
{
    private readonly LogRecorder _logs = new() { MinimumLevel = LogLevel.Information };

    [Fact]
    public void Settings_of_a_clients_standard_handler_carry_over_by_the_name_of_its_options()
    {
        var options = Options(services =>
        {
            services.AddHttpClient("llm").AddStandardResilienceHandler(o =>
            {
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(70);
                o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(20);
                o.Retry.MaxRetryAttempts = 4;
                o.Retry.Delay = TimeSpan.FromSeconds(0.5);
                o.CircuitBreaker.FailureRatio = 0.2;
                o.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(1);
                o.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(10);
            });
            Pool(services).UseStandardResilienceOptions("llm-standard");
            services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        });

        options.TotalRequestTimeout.Timeout.Should().Be(TimeSpan.FromSeconds(70));
        options.AttemptTimeout!.Timeout.Should().Be(TimeSpan.FromSeconds(20));
        options.Retry.MaxRetryAttempts.Should().Be(4);
        options.Retry.Delay.Should().Be(TimeSpan.FromSeconds(0.5));
        options.CircuitBreaker.FailureRatio.Should().Be(0.2);
        options.CircuitBreaker.SamplingDuration.Should().Be(TimeSpan.FromMinutes(1));
        options.CircuitBreaker.BreakDuration.Should().Be(TimeSpan.FromSeconds(10));
        options.CircuitBreaker.MinimumThroughput.Should().Be(new EndpointPoolOptions().CircuitBreaker.MinimumThroughput, "a setting with that package's default value keeps the pool's default value");
        _logs.Entries.Should().NotContain(e => e.Message.Contains("mean nothing", StringComparison.Ordinal));
    }

    [Fact]
    public void Settings_of_the_pool_itself_win_wherever_they_stand()
    {
        var options = Options(services =>
        {
            services.AddHttpClient("llm").AddStandardResilienceHandler(o => o.Retry.MaxRetryAttempts = 4);
            Pool(services, o => o.Retry.MaxRetryAttempts = 2).UseStandardResilienceOptions("llm-standard");
        });

        options.Retry.MaxRetryAttempts.Should().Be(2);
    }

    [Fact]
    public void Settings_of_a_section_carry_over_and_an_unknown_name_is_refused()
    {
        Options(services => Pool(services).UseStandardResilienceOptions(Section(("Retry:MaxRetryAttempts", "7"), ("TotalRequestTimeout:Timeout", "00:00:50"))))
            .Should().Match<EndpointPoolOptions>(o => o.Retry.MaxRetryAttempts == 7 && o.TotalRequestTimeout.Timeout == TimeSpan.FromSeconds(50));

        this.Invoking(t => t.Options(services => Pool(services).UseStandardResilienceOptions(Section(("Retry:MaxRetries", "7"))))).Should().Throw<InvalidOperationException>().WithMessage("*MaxRetries*");
    }

    [Fact]
    public void Settings_of_hedging_carry_over_and_switch_hedging_on()
    {
        var options = Options(services => Pool(services).UseStandardHedgingOptions(Section(
            ("TotalRequestTimeout:Timeout", "00:00:50"), ("Hedging:Delay", "00:00:01"), ("Endpoint:Timeout:Timeout", "00:00:09"), ("Endpoint:CircuitBreaker:FailureRatio", "0.3"))));

        options.Hedging.Enabled.Should().BeTrue();
        options.Hedging.MinimumDelay.Should().Be(TimeSpan.FromSeconds(1));
        options.TotalRequestTimeout.Timeout.Should().Be(TimeSpan.FromSeconds(50));
        options.AttemptTimeout!.Timeout.Should().Be(TimeSpan.FromSeconds(9));
        options.CircuitBreaker.FailureRatio.Should().Be(0.3);
    }

    [Theory]
    [InlineData("Retry:UseJitter", "false")]
    [InlineData("Retry:BackoffType", "Linear")]
    [InlineData("Retry:ShouldRetryAfterHeader", "false")]
    [InlineData("RateLimiter:DefaultRateLimiterOptions:PermitLimit", "5")]
    public void A_setting_that_means_nothing_to_a_pool_is_logged_once(string name, string value)
    {
        Options(services => Pool(services).UseStandardResilienceOptions(Section((name, value))), times: 3);

        var line = _logs.Entries.Where(e => e.Message.Contains("mean nothing", StringComparison.Ordinal)).Should().ContainSingle().Subject;
        line.Level.Should().Be(LogLevel.Information);
        name.Should().StartWith(line.Values.First(v => v.Key == "Settings").Value!.ToString());
    }

    [Fact]
    public void Callbacks_mean_nothing_and_are_logged_by_name()
    {
        Options(services =>
        {
            services.AddHttpClient("llm").AddStandardResilienceHandler(o =>
            {
                o.Retry.DisableForUnsafeHttpMethods();
                o.Retry.OnRetry = static _ => default;
                o.CircuitBreaker.OnOpened = static _ => default;
            });
            Pool(services).UseStandardResilienceOptions("llm-standard");
        });

        _logs.Entries.Should().ContainSingle(e => e.Message.Contains("Retry:ShouldHandle, Retry:OnRetry, CircuitBreaker:OnOpened", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Settings_that_change_while_the_pool_lives_reach_it()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("standard:Retry:MaxRetryAttempts", "4")]).Build();
        var services = new ServiceCollection();
        Pool(services).UseStandardResilienceOptions(configuration.GetSection("standard"));
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredKeyedService<EndpointPool>("models");

        configuration["standard:TotalRequestTimeout:Timeout"] = "00:00:44";
        configuration.Reload();

        pool.Deadline.Should().Be(TimeSpan.FromSeconds(44));
    }

    [Fact]
    public void Names_in_a_pools_own_section_that_mean_nothing_are_logged()
    {
        var services = new ServiceCollection().AddSingleton(_logs.CreateFactory());
        services.AddHaEndpointPool("models", Section(("Endpoints:0:Name", "a"), ("Endpoints:0:Address", "http://127.0.0.1:9/v1"), ("Retry:UseJitter", "true"), ("Hedging:Delay", "00:00:01"), ("Heartbeat:Enabled", "false")));
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<EndpointPool>();

        _logs.Entries.Should().ContainSingle(e => e.Message.Contains("Retry:UseJitter, Hedging:Delay in the section 'models'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pollys_own_meter_sees_the_pool_once_it_is_asked_to()
    {
        using var measured = new MetricRecorder("Polly");
        foreach (var telemetry in (bool[])[false, true])
        {
            var services = new ServiceCollection().AddSingleton(_logs.CreateFactory());
            var pool = Pool(services);
            if (telemetry)
                pool.ConfigureTelemetry();
            await using var provider = services.BuildServiceProvider();
            await provider.GetRequiredService<EndpointPool>().ExecuteAsync(0, static (_, _, _) => new ValueTask<int>(1), TestContext.Current.CancellationToken);

            measured.Measurements.Any(m => m.Instrument == "resilience.polly.pipeline.duration" && Equals(m.Tags["pipeline.name"], "models")).Should().Be(telemetry);
        }
    }

    public void Dispose() => _logs.Dispose();

    private EndpointPoolOptions Options(Action<IServiceCollection> register, int times = 1)
    {
        var services = new ServiceCollection().AddSingleton(_logs.CreateFactory());
        register(services);
        using var provider = services.BuildServiceProvider();
        EndpointPoolOptions? options = null;
        for (var i = 0; i < times; i++)
            options = provider.GetRequiredService<IOptionsFactory<EndpointPoolOptions>>().Create("models");
        return options!;
    }

    private static IEndpointPoolBuilder Pool(IServiceCollection services, Action<EndpointPoolOptions>? configure = null) => services.AddHaEndpointPool("models", options =>
    {
        options.Heartbeat.Enabled = false;
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9/v1" });
        configure?.Invoke(options);
    });

    private static IConfigurationSection Section(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("models:" + s.Name, (string?)s.Value))).Build().GetSection("models");
}
