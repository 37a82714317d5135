using System.Reflection;
using HaKit.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.DependencyInjection;

public sealed class SettingNameTests
{
    public static TheoryData<string, string> Misspelt => new()
    {
        { "Endpoints:0:Adress", "http://127.0.0.1:9001/v1" },
        { "Endpoints:0:ApiKey", "sk-secret" },
        { "Endpoints:0:Limits:Concurrency", "5" },
        { "AccountLimits:billed:PerMinute", "5" },
        { "Heartbeats:Interval", "00:00:05" },
        { "Heartbeat:Intervall", "00:00:05" },
        { "Endpoint:0:Name", "a" },
        { "Retry:Backoff", "Linear" },
    };

    [Theory]
    [MemberData(nameof(Misspelt))]
    public void A_name_that_no_setting_has_is_refused_with_its_place_and_without_its_value(string name, string value)
    {
        var refused = Refused(("Endpoints:0:Name", "a"), ("Endpoints:0:Account", "billed"), (name, value));

        refused.Should().ContainSingle().Which.Should().StartWith("Pool 'chat': chat:").And.Contain(" is no setting").And.NotContain("secret");
        var place = refused[0]["Pool 'chat': ".Length..refused[0].IndexOf(" is no setting", StringComparison.Ordinal)];
        ("chat:" + name).Should().StartWith(place).And.NotBe("chat:Endpoints:0");
    }

    [Theory]
    [InlineData("Endpoints:0:Headers:Authorization: Bearer sk-secret", "", "chat:Endpoints:0:Headers has a header with settings below it: the value of a header is one text.")]
    [InlineData("Endpoints:0:Credential:sk-secret", "", "chat:Endpoints:0:Credential is a value by itself and has no settings below it.")]
    [InlineData("Endpoints:0:Client", "sk-secret", "chat:Endpoints:0:Client is no setting of a configuration: only code can give it.")]
    [InlineData("ConnectTimeout:Timeout", "00:00:05", "chat:ConnectTimeout is a value by itself and has no settings below it.")]
    public void What_slipped_into_a_name_is_not_shown(string name, string value, string message) =>
        Refused(("Endpoints:0:Name", "a"), (name, value)).Should().Equal("Pool 'chat': " + message);

    [Fact]
    public void An_environment_variable_of_the_sections_name_is_no_setting_and_harms_nothing() =>
        Refused(("", "/data/models"), ("Endpoints:0:Name", "a")).Should().BeEmpty();

    [Theory]
    [InlineData("TotalRequestTimeout:Timeout", " 30 ", "*chat:TotalRequestTimeout:Timeout is '30'*")]
    [InlineData("TotalRequestTimeout:Timeout", "30", "*chat:TotalRequestTimeout:Timeout is '30'*'00:00:30'*'30.00:00:00'*")]
    [InlineData("Heartbeat:SparingInterval", "600", "*chat:Heartbeat:SparingInterval is '600'*'00:10:00'*")]
    [InlineData("Endpoints:0:AttemptTimeout:Timeout", "7", "*chat:Endpoints:0:AttemptTimeout:Timeout is '7'*'00:00:07'*")]
    [InlineData("TotalRequestTimeout", "30", "*chat:TotalRequestTimeout has a value where settings of its own are expected*")]
    public void A_bare_number_is_not_taken_for_days(string name, string value, string message) =>
        Refused(("Endpoints:0:Name", "a"), (name, value)).Should().ContainMatch(message);

    [Fact]
    public void A_section_that_is_not_there_is_said_to_be_missing() =>
        Refused().Should().ContainMatch("Pool 'chat': the configuration has no section 'chat'. Give AddHaEndpointPool or AddHaOpenAIClient the section that has the Endpoints.");

    [Fact]
    public void The_names_of_the_standard_resilience_options_and_comments_are_let_pass() =>
        Refused(
            ("Endpoints:0:Name", "a"), ("TotalRequestTimeout:Name", "total"), ("Retry:BackoffType", "Exponential"), ("Retry:UseJitter", "true"),
            ("Retry:ShouldRetryAfterHeader", "true"), ("Hedging:MaxHedgedAttempts", "1"), ("Hedging:Delay", "00:00:02"), ("CircuitBreaker:Name", "breaker"),
            ("RateLimiter:DefaultRateLimiterOptions:PermitLimit", "1000"), ("Endpoint:Timeout:Timeout", "00:00:10"), ("//", "a comment"), ("$comment", "another"),
            ("ENDPOINTS:0:tier", "1"), ("Endpoints:0:Headers:X-Any", "x"), ("Endpoints:0:Tags:0", "t"), ("MaxWaitingCalls", "5")).Should().BeEmpty();

    [Fact]
    public void Every_setting_that_the_options_have_is_known()
    {
        var wrong = new List<string>();
        var settings = Settings(typeof(EndpointPoolOptions), "chat").Select(s => s.Path).Where(p => p is not ("chat:Endpoints:0:Client" or "chat:OnFault" or "chat:Http:CountTokens")).ToArray(); // only code can give them
        SettingNames.Pool(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s, (string?)"x"))).Build().GetSection("chat"), wrong);

        settings.Should().HaveCountGreaterThan(90).And.Contain("chat:Endpoints:0:Limits:MaxConcurrency").And.Contain("chat:Objective:TargetPercent");
        wrong.Should().BeEmpty();
    }

    [Fact]
    public void A_value_that_an_enumeration_does_not_have_is_refused_with_the_values_that_it_has()
    {
        var choices = Settings(typeof(EndpointPoolOptions), "").Select(s => (s.Path, Type: Nullable.GetUnderlyingType(s.Type) ?? s.Type)).Where(s => s.Type.IsEnum).ToArray();
        choices.Should().HaveCountGreaterThan(10, "a scan that found no setting would let the test pass");
        foreach (var (path, type) in choices)
            string.Join('\n', Refused(("Endpoints:0:Name", "a"), (path[1..], "nonsense"))).Should().ContainAll([path, .. Enum.GetNames(type)]);
    }

    [Theory]
    [InlineData("1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    public void A_number_is_not_taken_for_the_name_of_a_value(string value) =>
        Refused(("Endpoints:0:Name", "a"), ("Selection:Preset", value)).Should().ContainSingle().Which.Should().Contain("chat:Selection:Preset is not the name of one value");

    [Fact]
    public void The_example_for_headers_is_accepted_as_a_header()
    {
        var example = Refused(("Endpoints:0:Name", "a"), ("Endpoints:0:Headers", "x")).Should().ContainSingle().Which.Split(" such as chat:")[1].TrimEnd('.');
        Refused(("Endpoints:0:Name", "a"), (example, "x")).Should().BeEmpty();
    }

    private static IEnumerable<(string Path, Type Type)> Settings(Type type, string path)
    {
        if (type.IsGenericType && type.Name.StartsWith("IList", StringComparison.Ordinal))
            return Settings(type.GetGenericArguments()[0], path + ":0");
        if (type.IsGenericType && type.Name.StartsWith("IDictionary", StringComparison.Ordinal))
            return Settings(type.GetGenericArguments()[1], path + ":any");
        return type.Namespace!.StartsWith("HaKit", StringComparison.Ordinal) && type.IsClass
            ? type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(p => Settings(p.PropertyType, $"{path}:{p.Name}"))
            : [(path, type)];
    }

    private static string[] Refused(params (string Key, string Value)[] settings)
    {
        using var services = new ServiceCollection().AddHaEndpointPoolOf(StartUpTests.Section(settings)).BuildServiceProvider();
        try
        {
            services.GetRequiredService<IOptionsFactory<EndpointPoolOptions>>().Create("chat");
            return [];
        }
        catch (OptionsValidationException refused)
        {
            return [.. refused.Failures];
        }
    }
}

file static class Registration
{
    public static IServiceCollection AddHaEndpointPoolOf(this IServiceCollection services, IConfigurationSection section)
    {
        services.AddHaEndpointPool("chat", section);
        return services;
    }
}
