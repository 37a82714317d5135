using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>Every property of a profile can be set in a header, for SDKs that can only add headers.</summary>
public sealed class ProfileHeaderTests
{
    // The properties that calls over HTTP determine themselves.
    private static readonly string[] s_withoutHeader = ["Default", "Request"];

    public static TheoryData<string> Properties =>
        [.. typeof(RequestProfile).GetProperties().Select(p => p.Name).Except(s_withoutHeader)];

    [Theory]
    [MemberData(nameof(Properties))]
    public void Each_property_of_a_profile_has_a_header_and_a_row_on_the_page(string property)
    {
        var header = HeaderOf(property);
        var (value, expected) = SampleOf(TypeOf(property), property);

        var profile = Read(header, value);

        typeof(RequestProfile).GetProperty(property)!.GetValue(profile).Should().BeEquivalentTo(expected);
        File.ReadAllText(Page()).Should().Contain($"`{header}`").And.Contain($"`{property}`");
    }

    [Theory]
    [MemberData(nameof(Properties))]
    public void The_message_about_an_unknown_header_lists_the_header_of_each_property(string property) =>
        FluentActions.Invoking(() => Read("x-ha-unknown", "1")).Should().Throw<InvalidOperationException>().Which.Message.TrimEnd('.').Split("The names are ")[1].Split(", ").Should().Contain(HeaderOf(property));

    [Theory]
    [MemberData(nameof(Properties))]
    public void The_message_about_a_wrong_value_is_about_the_value_and_not_about_the_name(string property)
    {
        var type = TypeOf(property);
        if (type != typeof(string) && type != typeof(IReadOnlyList<string>)) // every text is a valid value of these
            FluentActions.Invoking(() => Read(HeaderOf(property), "wrong")).Should().Throw<InvalidOperationException>().Which.Message.Should().Contain("value").And.NotContain("does not know");
    }

    [Theory]
    [InlineData("x-ha-deadline", "20", 20)]
    [InlineData("x-ha-deadline", "0.5", 0.5)]
    [InlineData("x-ha-deadline", "00:01:30", 90)]
    [InlineData("X-HA-Deadline", "86400", 86400)]
    public void A_deadline_is_seconds_or_a_time(string name, string value, double seconds) => Read(name, value).Deadline.Should().Be(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("00:00:00", 0)]
    [InlineData("5", 5)]
    public void No_wait_at_all_can_be_said(string value, double seconds) => Read("x-ha-max-wait", value).MaxWait.Should().Be(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("x-ha-deadline", "0")]
    [InlineData("x-ha-deadline", "0.00000000001")]
    [InlineData("x-ha-deadline", "-1")]
    [InlineData("x-ha-deadline", "-00:00:01")]
    [InlineData("x-ha-deadline", "NaN")]
    [InlineData("x-ha-deadline", "Infinity")]
    [InlineData("x-ha-deadline", "-Infinity")]
    [InlineData("x-ha-max-wait", "-Infinity")]
    [InlineData("x-ha-max-wait", "NaN")]
    [InlineData("x-ha-deadline", "1e3")]
    [InlineData("x-ha-deadline", "2000000")]
    [InlineData("x-ha-deadline", "9223372036854775807")]
    [InlineData("x-ha-deadline", "3.00:00:00")]
    [InlineData("x-ha-deadline", "")]
    [InlineData("x-ha-max-wait", "-1")]
    [InlineData("x-ha-max-wait", "2000000")]
    [InlineData("x-ha-tools", "1")]
    [InlineData("x-ha-true", "true")]
    [InlineData("x-ha-", "true")]
    [InlineData("x-ha-input-tokens", "-1")]
    [InlineData("x-ha-priority", "1.5")]
    public void What_a_header_cannot_mean_is_refused(string name, string value) =>
        FluentActions.Invoking(() => Read(name, value)).Should().Throw<InvalidOperationException>().WithMessage($"*'{name}'*");

    private static RequestProfile Read(string name, string value)
    {
        using var request = new HttpRequestMessage();
        request.Headers.TryAddWithoutValidation(name, value);
        return ProfileHeaders.Read(request.Headers, RequestProfile.Default);
    }

    private static Type TypeOf(string property) => typeof(RequestProfile).GetProperty(property)!.PropertyType is var type ? Nullable.GetUnderlyingType(type) ?? type : type;

    private static string HeaderOf(string property)
    {
        var words = string.Concat(property.Select((c, i) => (char.IsUpper(c) && i > 0 ? "-" : "") + char.ToLowerInvariant(c)));
        return "x-ha-" + (property == "AffinityKey" ? "affinity" : words);
    }

    private static (string Value, object Expected) SampleOf(Type type, string property)
    {
        if (type == typeof(bool))
            return property == "MayRepeat" ? ("false", false) : ("true", true);
        if (type == typeof(int))
            return ("7", 7);
        if (type == typeof(TimeSpan))
            return ("7", TimeSpan.FromSeconds(7));
        return type == typeof(string) ? ("seven", "seven") : ("one, two", (string[])["one", "two"]);
    }

    private static string Page()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "docs", "in-your-application.md");
    }
}
