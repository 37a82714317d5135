using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.DependencyInjection;

public sealed class StartUpTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_application_with_a_good_pool_starts_and_has_the_pool_by_name_and_alone()
    {
        using var app = App(services => services.AddHaEndpointPool("chat", Section(("Endpoints:0:Name", "a"), ("Endpoints:0:Address", "http://127.0.0.1:9001/v1"), ("AttemptTimeout:Timeout", "00:00:07"))));
        await app.StartAsync(Token);

        var pool = app.Services.GetRequiredKeyedService<EndpointPool>("chat");
        app.Services.GetRequiredService<EndpointPool>().Should().BeSameAs(pool);
        pool.Endpoints.Should().ContainSingle().Which.Name.Should().Be("a");
    }

    [Fact]
    public async Task Every_mistake_in_a_configuration_is_refused_at_start_up_all_at_once()
    {
        var refused = await StartAsync(services => services.AddHaEndpointPool("chat", Section(
            ("Endpoints:0:Name", "a"), ("Endpoints:0:Address", "v1"),
            ("Endpoints:1:Name", "a"), ("Endpoints:1:Weight", "0"),
            ("Endpoints:2:Name", ""),
            ("ConnectTimeout", "-00:00:01"),
            ("TotalRequestTimeout:Timeout", "00:00:10"), ("AttemptTimeout:Timeout", "00:00:11"))));

        var failures = refused.Should().BeOfType<OptionsValidationException>().Which.Failures.ToArray();
        failures.Should().HaveCount(6).And.OnlyContain(f => f.StartsWith("Pool 'chat': "));
        failures.Should().ContainMatch("*Endpoints:0:Address of 'a' is 'v1'*").And.ContainMatch("*2 endpoints of the name 'a'*")
            .And.ContainMatch("*Endpoints:1:Weight of 'a' is 0*").And.ContainMatch("*Endpoints:2:Name is ''*")
            .And.ContainMatch("*ConnectTimeout is -1 s*").And.ContainMatch("*AttemptTimeout:Timeout is 11 s, longer than the deadline, 10 s*");
    }

    [Fact]
    public async Task A_pool_described_in_code_is_held_to_the_same()
    {
        var refused = await StartAsync(services => services.AddHaEndpointPool("chat", options => options.MaxWaitingCalls = -1));

        refused.Should().BeOfType<OptionsValidationException>().Which.Failures.Should().HaveCount(2)
            .And.ContainMatch("Pool 'chat': Endpoints is empty*").And.ContainMatch("Pool 'chat': MaxWaitingCalls is -1*");
    }

    [Fact]
    public async Task The_mistakes_of_all_pools_and_unknown_names_are_told_together()
    {
        var refused = await StartAsync(services =>
        {
            services.AddHaEndpointPool("chat", _ => { });
            services.AddHaEndpointPool("images", _ => { });
            services.AddHttpClient("sdk").AddHaEndpointPoolHandler("chta");
        });

        refused.Should().BeOfType<OptionsValidationException>().Which.Failures.Should().HaveCount(3)
            .And.ContainMatch("Pool 'chat': Endpoints is empty*").And.ContainMatch("Pool 'images': Endpoints is empty*")
            .And.ContainMatch("HTTP client 'sdk' uses the pool 'chta', which is not registered. Did you mean 'chat'? AddHaEndpointPool has registered 'chat', 'images'.");
    }

    [Fact]
    public async Task Code_that_throws_while_it_configures_a_pool_hides_no_other_mistake()
    {
        var thrown = new FormatException("not a number: sk-planted");
        var refused = await StartAsync(services =>
        {
            services.AddHaEndpointPool("chat", _ => throw thrown);
            services.AddHaEndpointPool("images", _ => { });
        });

        var all = refused.Should().BeOfType<AggregateException>().Which.InnerExceptions;
        all.Should().HaveCount(2).And.Contain(thrown);
        all[0].Should().BeOfType<OptionsValidationException>().Which.Failures.Should().HaveCount(2)
            .And.Contain("Pool 'chat': the code that configures the pool threw FormatException.").And.ContainMatch("Pool 'images': Endpoints is empty*");
    }

    [Fact]
    public async Task Code_that_throws_while_it_configures_the_only_pool_stops_the_start_with_its_own_exception()
    {
        var thrown = new FormatException("not a number");
        (await StartAsync(services => services.AddHaEndpointPool("chat", _ => throw thrown))).Should().BeSameAs(thrown);
    }

    [Fact]
    public async Task An_unknown_pool_name_is_refused_at_start_up()
    {
        var refused = await StartAsync(services =>
        {
            services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9001/v1" }));
            services.AddHttpClient("sdk").AddHaEndpointPoolHandler("chat");
            services.AddHttpClient("other").AddHaEndpointPoolHandler("Chat");
        });

        refused.Should().BeOfType<OptionsValidationException>().Which.Failures.Should().Equal("HTTP client 'other' uses the pool 'Chat', which is not registered. Did you mean 'chat'? AddHaEndpointPool has registered 'chat'.");
    }

    [Fact]
    public async Task A_pool_name_is_unknown_too_where_there_is_no_pool_at_all()
    {
        var refused = await StartAsync(services => services.AddHttpClient("sdk").AddHaEndpointPoolHandler("chat"));

        refused.Should().BeOfType<OptionsValidationException>().Which.Failures.Should().Equal("HTTP client 'sdk' uses the pool 'chat', which is not registered. AddHaEndpointPool registers a pool.");
    }

    [Fact]
    public async Task A_value_that_cannot_be_read_is_refused_at_start_up_with_its_setting_and_type_and_is_not_shown()
    {
        var refused = await StartAsync(services => services.AddHaEndpointPool("chat", Section(
            ("Endpoints:0:Name", "a"), ("Endpoints:0:Address", "http://127.0.0.1:9001/v1"), ("ConnectTimeout", "soon"))));

        refused.Should().BeOfType<OptionsValidationException>().Which.Failures.Should().ContainSingle()
            .Which.Should().StartWith("Pool 'chat': chat:ConnectTimeout ").And.Contain("TimeSpan").And.NotContain("soon");
    }

    [Theory]
    [InlineData("""{ "chat": { "Endpoints": null } }""")]
    [InlineData("""{ "chat": { "Endpoints": [ null ] } }""")]
    [InlineData("""{ "chat": null }""")]
    [InlineData("""{ }""")]
    public async Task A_configuration_without_endpoints_is_refused_and_does_not_crash(string json)
    {
        var refused = await StartAsync(services => services.AddHaEndpointPool("chat", Json(json)));

        refused.Should().BeOfType<OptionsValidationException>().Which.Failures.Should().ContainMatch("Pool 'chat': Endpoints*");
    }

    [Fact]
    public async Task Settings_that_are_null_have_their_defaults()
    {
        using var app = App(services => services.AddHaEndpointPool("chat", Json("""
            { "chat": { "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9001/v1", "Tags": null, "Headers": null, "Limits": null } ],
              "TotalRequestTimeout": null, "AttemptTimeout": null, "FirstContent": null, "Retry": null, "Streaming": null, "Hedging": null, "Selection": null,
              "RetryBudget": null, "CircuitBreaker": null, "Heartbeat": null, "Recovery": null, "AccountLimits": null } }
            """)));

        await app.StartAsync(Token);

        app.Services.GetRequiredService<EndpointPool>().Endpoints.Should().ContainSingle();
    }

    [Fact]
    public void The_same_name_twice_is_refused_where_it_is_written()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", _ => { });

        services.Invoking(s => s.AddHaEndpointPool("chat", _ => { })).Should().Throw<ArgumentException>().WithMessage("*'chat'*registered already*");
    }

    [Fact]
    public void The_pools_of_one_key_or_of_any_key_are_the_registered_pools()
    {
        var services = new ServiceCollection();
        foreach (var name in new[] { "chat", "images" })
            services.AddHaEndpointPool(name, o => o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9001/v1" }));
        using var provider = services.BuildServiceProvider();

        provider.GetKeyedServices<EndpointPool>("chat").Select(p => p.Name).Should().Equal("chat");
        provider.GetKeyedServices<EndpointPool>(KeyedService.AnyKey).Select(p => p.Name).Should().Equal("chat", "images");
        provider.Invoking(p => p.GetKeyedService<EndpointPool>("chta")).Should().Throw<InvalidOperationException>("an injected pool must not be null").WithMessage("There is no endpoint pool 'chta'. Did you mean 'chat'?*");
        provider.GetKeyedServices<EndpointPool>("chta").Should().BeEmpty();
    }

    internal static IConfigurationSection Section(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key.Length == 0 ? "chat" : "chat:" + s.Key, (string?)s.Value))).Build().GetSection("chat");

    private static IConfigurationSection Json(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build().GetSection("chat");

    private static IHost App(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        configure(builder.Services);
        return builder.Build();
    }

    private static async Task<Exception> StartAsync(Action<IServiceCollection> configure)
    {
        using var app = App(configure);
        return (await Record.ExceptionAsync(() => app.StartAsync(Token)))!;
    }
}
