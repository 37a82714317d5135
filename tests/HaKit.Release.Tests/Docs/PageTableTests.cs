using System.Collections;
using System.Globalization;
using HaKit.AI;
using HaKit.Alerts;
using HaKit.AspNetCore;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Limits;
using HaKit.Selection;
using Microsoft.Extensions.Configuration;

namespace HaKit.Release.Tests;

/// <summary>The tables of settings, faults, states and presets agree with the code.</summary>
public sealed class PageTableTests
{
    public static TheoryData<string, object> Settings => new()
    {
        { "The pool", new EndpointPoolOptions() },
        { "Endpoints", new EndpointOptions() },
        { "Limits", new LimitOptions() },
        { "Objective", new ObjectiveOptions() },
        { "Chat clients", new EndpointPoolChatClientOptions() },
        { "Chat endpoints", new ChatEndpointOptions() },
        { "Embeddings", new EndpointPoolEmbeddingOptions() },
        { "Alerts", new AlertOptions() },
        { "Webhooks", new WebhookAlertOptions() },
        { "Dashboard", new EndpointPoolPagesOptions() },
        { "Heartbeats of your own services", new ServiceHeartbeatOptions() },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Every_setting_is_on_the_page_with_its_default(string heading, object options) =>
        Page.Table("docs/configuration.md", heading).Select(row => (row[0], row[1])).Should().BeEquivalentTo(DefaultsOf(options, ""));

    [Fact]
    public void Every_kind_of_fault_is_on_the_page_with_its_answers() =>
        Page.Table("docs/faults.md", "The kinds").Select(row => (row[0], row[2], row[3], row[4])).Should().BeEquivalentTo(
            Enum.GetValues<FaultKind>().Select(k => new Fault(k)).Select(f => (f.Kind.ToString(), f.Applied.ToString(), f.Blame.ToString(), f.Reach.ToString())));

    [Fact]
    public void Every_status_means_what_the_page_says()
    {
        foreach (var row in Page.Table("docs/faults.md", "What each status does"))
        {
            var body = row[0].Contains("page", StringComparison.Ordinal) ? "<html>" : "{}";
            foreach (var status in System.Text.RegularExpressions.Regex.Matches(row[0], "[0-9]{3}").Select(m => int.Parse(m.Value, CultureInfo.InvariantCulture)))
            {
                var fault = FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = status, Body = System.Text.Encoding.UTF8.GetBytes(body), Request = RequestKind.CreatesAnswer, Dialect = WireDialect.OpenAI })!;
                fault.Kind.ToString().Should().Be(row[1].Trim('`'), "{0}", status);
                fault.SecondOpinion.Should().Be(row[2].StartsWith("one second opinion", StringComparison.Ordinal) ? SecondOpinion.One : row[2].StartsWith("asks each", StringComparison.Ordinal) ? SecondOpinion.Each : SecondOpinion.None, "{0}", status);
                fault.IsProvisional.Should().Be(row[3].StartsWith("the refusal counts only", StringComparison.Ordinal), "{0}", status);
                (fault.Reach != FaultReach.Endpoint).Should().Be(row[4] != "nothing", "{0}", status);
            }
        }
    }

    [Theory]
    [InlineData("docs/faults.md", "How an answer is read", typeof(WireDialect))]
    [InlineData("docs/health.md", "States", typeof(EndpointHealthStatus))]
    [InlineData("docs/selection.md", "Presets", typeof(SelectionPreset))]
    [InlineData("docs/streams.md", "Which endpoints can go on", typeof(Continuation))]
    [InlineData("docs/streams.md", "What is not continued", typeof(NotContinuedReason))]
    public void Every_value_has_its_row(string page, string heading, Type values) =>
        Page.Table(page, heading).Select(row => row[0]).Should().BeEquivalentTo(Enum.GetNames(values));

    [Fact]
    public void Every_state_is_called_by_the_circuit_breaker_s_word_for_it() =>
        Page.Table("docs/health.md", "States").Select(row => row[1]).Should().BeSubsetOf(Enum.GetNames<Polly.CircuitBreaker.CircuitState>());

    [Fact]
    public void Every_probe_has_its_row() =>
        Page.Table("docs/health.md", "Heartbeats").Select(row => row[0].Split(' ')[0]).Should().BeEquivalentTo(
            typeof(IProbe).Assembly.GetExportedTypes().Where(t => t.IsClass && typeof(IProbe).IsAssignableFrom(t)).Select(t => t.Name));

    [Fact]
    public void Every_kind_of_event_is_on_the_page() =>
        typeof(PoolEvent).Assembly.GetExportedTypes().Where(t => typeof(PoolEvent).IsAssignableFrom(t) && !t.IsAbstract).Select(t => $"`{t.Name}`")
            .Where(name => !string.Join('\n', Page.Section("docs/health.md", "Events")).Contains(name, StringComparison.Ordinal)).Should().BeEmpty();

    [Fact]
    public void Every_property_of_a_profile_is_on_the_page() =>
        Page.Table("docs/failover.md", "The request profile").SelectMany(row => row[0].Split(", ")).Should().BeEquivalentTo(
            typeof(RequestProfile).GetProperties().Where(p => p.CanWrite).Select(p => p.Name));

    [Fact]
    public void Every_exception_is_on_the_page() =>
        Page.Table("docs/failover.md", "Exceptions").Select(row => row[0]).Should().Contain(
            typeof(EndpointPool).Assembly.GetExportedTypes().Where(t => t is { IsAbstract: false } && typeof(Exception).IsAssignableFrom(t)).Select(t => t.Name));

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/configuration.md")]
    [InlineData("docs/limits.md")]
    [InlineData("docs/recipes.md")]
    public void Every_configuration_on_a_page_describes_a_pool(string page)
    {
        foreach (var json in Page.Blocks(page, "json"))
        {
            var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json))).Build();
            var section = configuration.GetChildren().Single();
            section.Get<EndpointPoolOptions>(o => o.ErrorOnUnknownConfiguration = true)!.Validate(section.Key).Should().BeEmpty();
        }
    }

    private static IEnumerable<(string, string)> DefaultsOf(object options, string path)
    {
        foreach (var property in options.GetType().GetProperties().Where(p => p.CanWrite || typeof(IDictionary<string, string>).IsAssignableFrom(p.PropertyType)))
        {
            var name = path + property.Name;
            var value = property.GetValue(options);
            if (property.PropertyType == typeof(TimeoutOptions) && value is null)
            {
                yield return (name + ":Timeout", "none");
            }
            else if (value is not null and not Enum and not RequestProfile && value.GetType() is { IsClass: true } type && type.Namespace!.StartsWith("HaKit", StringComparison.Ordinal))
            {
                foreach (var inner in DefaultsOf(value, name + ":"))
                    yield return inner;
            }
            else
            {
                yield return (name, Shown(value));
            }
        }
    }

    private static string Shown(object? value) => value switch
    {
        null or "" or ICollection { Count: 0 } => "none",
        IEnumerable and not string when !((IEnumerable)value).GetEnumerator().MoveNext() => "none",
        RequestProfile => "nothing known",
        string { Length: > 40 } => "an object with everything",
        bool yes => yes ? "true" : "false",
        TimeSpan { TotalDays: >= 1 } time => time.TotalDays.ToString(CultureInfo.InvariantCulture) + " d",
        TimeSpan { TotalHours: >= 1 } time => time.TotalHours.ToString(CultureInfo.InvariantCulture) + " h",
        TimeSpan time => time.TotalSeconds.ToString(CultureInfo.InvariantCulture) + " s",
        IFormattable number and (int or long) => number.ToString("#,0", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
