using System.Globalization;
using HaKit.Limits;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Options;

public sealed class EndpointPoolOptionsTests
{
    [Fact]
    public void Good_options_have_nothing_wrong() => Good().Validate("chat").Should().BeEmpty();

    public static TheoryData<string, Action<EndpointPoolOptions>> Mistakes { get; } = new()
    {
        { "Endpoints is empty", o => o.Endpoints.Clear() },
        { "Endpoints:1:Name is ''", o => o.Endpoints[1].Name = "" },
        { "Endpoints:1:Name is '  '", o => o.Endpoints[1].Name = "  " },
        { "Endpoints has 2 endpoints of the name 'a'", o => o.Endpoints[1].Name = "a" },
        { "Endpoints:0:Address of 'a' is '/v1'", o => o.Endpoints[0].Address = "/v1" },
        { "Endpoints:0:Address of 'a' is 'v1/chat'", o => o.Endpoints[0].Address = "v1/chat" },
        { "Endpoints:0:Address of 'a' is 'localhost:8000'", o => o.Endpoints[0].Address = "localhost:8000" },
        { "Endpoints:0:Address of 'a' is 'ftp://a/'", o => o.Endpoints[0].Address = "ftp://a/" },
        { "Endpoints:0:Address of 'a' is '…'", o => o.Endpoints[0].Address = "hunter-two" },
        { "Endpoints:0:Address of 'a' is '…'", o => o.Endpoints[0].Address = "sk-short" },
        { "Endpoints:0:Address of 'a' is '…'", o => o.Endpoints[0].Address = "gsk_a.b" },
        { "Endpoints:0:Address of 'a' is ''", o => o.Endpoints[0].Address = "" },
        { "Endpoints:1:Weight of 'b' is 0", o => o.Endpoints[1].Weight = 0 },
        { "Endpoints:1:Weight of 'b' is -1.5", o => o.Endpoints[1].Weight = -1.5 },
        { "Endpoints:1:Name has 3 characters: at most 256 characters without control characters are needed.", o => o.Endpoints[1].Name = "b\nc" },
        { "Endpoints:1:Name has 1000000 characters", o => o.Endpoints[1].Name = new string('b', 1_000_000) },
        { "Endpoints:1:Weight of 'b' is NaN", o => o.Endpoints[1].Weight = double.NaN },
        { "Endpoints:1:Weight of 'b' is Infinity", o => o.Endpoints[1].Weight = double.PositiveInfinity },
        { "Endpoints:1:Tier of 'b' is -1", o => o.Endpoints[1].Tier = -1 },
        { "Endpoints:1:AttemptTimeout:Timeout of 'b' is 0 s", o => o.Endpoints[1].AttemptTimeout = new() },
        { "AttemptTimeout:Timeout of endpoint 'b' is 101 s, longer than the deadline, 100 s", o => o.Endpoints[1].AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(101) } },
        { "Limits of endpoint 'b':RequestsPerMinute is 0", o => o.Endpoints[1].Limits = new LimitOptions { RequestsPerMinute = 0 } },
        { "AccountLimits:team:TokensPerMinute is -1", o => o.AccountLimits["team"] = new LimitOptions { TokensPerMinute = -1 } },
        { "AccountLimits has limits for the account 'nobody'", o => o.AccountLimits["nobody"] = new LimitOptions() },
        { "TotalRequestTimeout:Timeout is 0 s", o => o.TotalRequestTimeout.Timeout = TimeSpan.Zero },
        { "TotalRequestTimeout:Timeout is -1 s", o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(-1) },
        { "AttemptTimeout:Timeout is 0 s", o => o.AttemptTimeout = new() },
        { "AttemptTimeout:Timeout is 2 min, longer than the deadline, 100 s", o => o.AttemptTimeout = new() { Timeout = TimeSpan.FromMinutes(2) } },
        { "ConnectTimeout is -2 s", o => o.ConnectTimeout = TimeSpan.FromSeconds(-2) },
        { "FirstContent:Timeout is 0 s", o => o.FirstContent.Timeout = TimeSpan.Zero },
        { "FirstContent:Minimum is 60 s, longer than FirstContent:Timeout, 30 s", o => o.FirstContent.Minimum = TimeSpan.FromMinutes(1) },
        { "FirstContent:Multiplier is NaN", o => o.FirstContent.Multiplier = double.NaN },
        { "Retry:MaxRetryAttempts is -1", o => o.Retry.MaxRetryAttempts = -1 },
        { "Retry:MaxAttemptsPerEndpoint is 0", o => o.Retry.MaxAttemptsPerEndpoint = 0 },
        { "Retry:Delay is 0 s", o => o.Retry.Delay = TimeSpan.Zero },
        { "Retry:MaxDelay is 0.1 s, shorter than Retry:Delay", o => o.Retry.MaxDelay = TimeSpan.FromSeconds(0.1) },
        { "MaxWaitingCalls is -1", o => o.MaxWaitingCalls = -1 },
        { "Streaming:IdleTimeout is 0 s", o => o.Streaming.IdleTimeout = TimeSpan.Zero },
        { "Hedging:MaxShare is 0.6", o => o.Hedging.MaxShare = 0.6 },
        { "CircuitBreaker:BreakDuration is 0 s", o => o.CircuitBreaker.BreakDuration = TimeSpan.Zero },
        { "CircuitBreaker:FailureRatio is 1.1", o => o.CircuitBreaker.FailureRatio = 1.1 },
        { "Heartbeat:Interval is 0 s", o => o.Heartbeat.Interval = TimeSpan.Zero },
        { "RetryBudget:Cap is -1", o => o.RetryBudget.Cap = -1 },
        { "Origin is 'v1'", o => o.Origin = "v1" },
    };

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void Every_mistake_names_its_setting_and_its_value(string message, Action<EndpointPoolOptions> make)
    {
        var options = Good();
        make(options);

        options.Validate("chat").Should().Contain(m => m.StartsWith($"Pool 'chat': {message}", StringComparison.Ordinal));
    }

    [Fact]
    public void All_mistakes_are_told_at_once_wherever_they_are()
    {
        var options = Good();
        options.Endpoints[0].Weight = -1;
        options.Endpoints[1].Address = "b";
        options.ConnectTimeout = TimeSpan.Zero;
        options.CircuitBreaker.FailureRatio = 2;

        var making = () => new EndpointPool("chat", options);

        making.Should().Throw<OptionsValidationException>().Which.Failures.Should().HaveCount(4);
    }

    [Fact]
    public void A_pool_needs_a_name() =>
        Good().Validate(" ").Should().ContainSingle().Which.Should().StartWith("The pool's name is ' '");

    [Fact]
    public void Numbers_read_the_same_in_every_culture()
    {
        var options = Good();
        options.Endpoints[1].Weight = -1.5;
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            options.Validate("chat").Should().ContainSingle().Which.Should().Contain("Weight of 'b' is -1.5");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void No_message_quotes_a_password_or_a_key()
    {
        var options = Good();
        options.Endpoints[0].Address = "relative://me:hunter2@host";
        options.Endpoints[1].Headers["Authorization"] = "Bearer hunter2\r\n";
        options.Endpoints[1].Headers["x key hunter2:"] = "x";
        options.Origin = "ftp://me:hunter2@host";

        var wrong = options.Validate("chat");

        wrong.Should().HaveCountGreaterThanOrEqualTo(4);
        wrong.Where(m => !m.Contains("xkeyhunter2", StringComparison.Ordinal)).Should().NotContain(m => m.Contains("hunter2", StringComparison.Ordinal));
    }

    internal static EndpointPoolOptions Good() => new()
    {
        Endpoints =
        [
            new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9001/v1" },
            new EndpointOptions { Name = "b", Address = "http://127.0.0.1:9002/v1", Account = "team" },
        ],
    };

    public static TheoryData<string, string> Groups { get; } = [.. AllObjects().SelectMany(static o => Settable(o.Value).Select(p => (o.Name, p.Name)))];

    [Theory]
    [MemberData(nameof(Groups))]
    public void A_setting_that_is_null_is_a_mistake_or_has_no_effect_and_never_an_exception(string group, string setting)
    {
        var options = Good();
        options.Endpoints[1].Credential = "k-0123456789";
        options.Endpoints[1].Headers["api-key"] = "k-0123456789";
        var owner = AllObjects(options).Single(o => o.Name == group).Value;
        owner.GetType().GetProperty(setting)!.SetValue(owner, null);
        var validating = () => options.Validate("chat");
        validating.Should().NotThrow();
    }

    [Theory]
    [InlineData("x-team")]
    [InlineData("api-key")]
    public void A_header_without_a_value_is_a_mistake(string header)
    {
        var options = Good();
        options.Endpoints[1].Headers[header] = null!;
        options.Validate("chat").Should().ContainSingle().Which.Should().StartWith("Pool 'chat': Endpoints:1:Headers of 'b' has");
    }

    private static IEnumerable<System.Reflection.PropertyInfo> Settable(object owner) =>
        owner.GetType().GetProperties().Where(static p => p.CanWrite && p.GetIndexParameters().Length == 0 && !p.PropertyType.IsValueType);

    // The options, one endpoint, and each group of settings.
    private static IEnumerable<(string Name, object Value)> AllObjects(EndpointPoolOptions? options = null)
    {
        options ??= Good();
        yield return ("pool", options);
        yield return ("endpoint", options.Endpoints[1]);
        foreach (var property in typeof(EndpointPoolOptions).GetProperties().Where(static p => p.PropertyType.Namespace == "HaKit" && p.PropertyType.IsClass))
        {
            if (property.GetValue(options) is { } group)
                yield return (property.Name, group);
        }
    }
}
