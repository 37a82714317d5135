using System.Reflection;
using System.Text.RegularExpressions;

namespace HaKit.Tests.Vocabulary;

/// <summary>No message shows a raw time span or more than three digits of a time.</summary>
public sealed partial class DurationTextTests
{
    [Theory]
    [InlineData(0, "0 s"), InlineData(0.0004, "400 µs"), InlineData(0.0125, "13 ms"), InlineData(0.254, "0.25 s"), InlineData(4.23, "4.2 s"), InlineData(9.97, "10 s"), InlineData(45.4, "45 s")]
    [InlineData(119.4, "119 s"), InlineData(150, "2.5 min"), InlineData(700, "12 min"), InlineData(12_600, "3.5 h"), InlineData(345_600, "4 days"), InlineData(-2, "-2 s"), InlineData(0.0000004, "0.4 µs")]
    public void A_measured_time_has_the_digits_that_a_reader_needs(double seconds, string text) => DurationText.Write(TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond))).Should().Be(text);

    [Theory]
    [InlineData(0.5, "0.5 s"), InlineData(1.25, "1.25 s"), InlineData(30.5, "30.5 s"), InlineData(100, "100 s"), InlineData(90, "90 s"), InlineData(300, "5 min"), InlineData(5400, "90 min"), InlineData(86_400, "24 h")]
    [InlineData(315_360_000, "10 years")]
    public void A_setting_has_up_to_three_digits(double seconds, string text) => DurationText.OfSetting(TimeSpan.FromSeconds(seconds)).Should().Be(text);

    [Fact]
    public void Every_time_has_a_unit_and_at_most_three_digits()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var time = TimeSpan.FromTicks((long)Math.Pow(10, random.NextDouble() * 18.9));
            foreach (var text in (string[])[DurationText.Write(time), DurationText.OfSetting(time), DurationText.Write(-time)])
            {
                HasOnlyGoodTimes(text);
                text.Should().MatchRegex("^(-?[0-9.]+ (µs|ms|s|min|h|days|years)|more than 1000 years|less than -1000 years)$");
            }
        }
        DurationText.Write(TimeSpan.MaxValue).Should().Be("more than 1000 years");
        DurationText.Write(TimeSpan.MinValue).Should().Be("less than -1000 years");
    }

    /// <summary>
    /// Every time and every other number of the options gets values that validation refuses. No message shows a raw time span or a number with many digits.
    /// </summary>
    [Fact]
    public void No_message_about_an_option_shows_a_raw_time_span_or_more_than_three_digits_of_a_time()
    {
        TimeSpan[] times = [TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.FromSeconds(-1.23456789), TimeSpan.FromSeconds(123.456789), TimeSpan.FromDays(40.123), TimeSpan.MaxValue, TimeSpan.MinValue];
        var messages = new List<string>();
        foreach (var value in times)
        {
            foreach (var (set, name) in Times(typeof(EndpointPoolOptions), static o => o))
            {
                var options = new EndpointPoolOptions { AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(1) }, Objective = new() };
                options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:1/v1", AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(1) } });
                set(options, value);
                foreach (var message in options.Validate("p"))
                {
                    HasOnlyGoodTimes(message, because: name);
                    messages.Add(message);
                }
            }
        }
        messages.Should().HaveCountGreaterThan(150);
    }

    /// <summary>
    /// Checks that a text has no time of more than three digits, and no raw time span outside quotation marks. Inside quotation marks a message shows the value
    /// to write.
    /// </summary>
    internal static void HasOnlyGoodTimes(string text, string because = "")
    {
        var told = Quoted().Replace(text, "");
        Raw().Matches(DateAndTime().Replace(told, "")).Select(static m => m.Value).Should().BeEmpty("{0} {1}", because, text);
        foreach (Match time in Time().Matches(told))
            time.Groups[1].Value.Replace(".", "", StringComparison.Ordinal).TrimStart('0').TrimEnd('0').Length.Should().BeLessThanOrEqualTo(3, "{0} {1}", because, text);
    }

    private static IEnumerable<(Action<EndpointPoolOptions, TimeSpan> Set, string Name)> Times(Type type, Func<EndpointPoolOptions, object?> find)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if ((Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(TimeSpan) && property.CanWrite)
            {
                yield return ((o, value) => property.SetValue(find(o), value), $"{type.Name}.{property.Name}");
            }
            else if (property.PropertyType.IsClass && property.PropertyType.Namespace?.StartsWith("HaKit", StringComparison.Ordinal) == true)
            {
                if (find(Filled()) is { } owner && property.GetValue(owner) is not null)
                {
                    foreach (var inner in Times(property.PropertyType, o => property.GetValue(find(o))))
                        yield return inner;
                }
            }
        }
    }

    private static EndpointPoolOptions Filled() => new() { AttemptTimeout = new(), Objective = new() };

    [GeneratedRegex("'[^']*'")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"-?(\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")]
    private static partial Regex Raw();

    [GeneratedRegex(@"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z")]
    private static partial Regex DateAndTime();

    [GeneratedRegex(@"(?<![\w.])([0-9][0-9.]*) (?:µs|ms|s|min|h|days|years)\b")]
    private static partial Regex Time();
}
