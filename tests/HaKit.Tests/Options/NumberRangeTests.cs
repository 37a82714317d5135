using HaKit.Testing;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Options;

/// <summary>
/// No number is accepted that breaks a call. Every setting that is a number or a time is found by reflection. Each extreme value is refused by a message that
/// names the setting, the value and the range, or a pool serves with it.
/// </summary>
public sealed class NumberRangeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-numbers-").FullName;

    // One endpoint is enough, because the settings of all endpoints are checked in the same way.
    public static TheoryData<string> Settings => [.. NumberSetting.FindAll(NumberWorld.NewOptions()).Select(static s => s.Path).Where(static p => !p.StartsWith("Endpoints:", StringComparison.Ordinal) || p.StartsWith("Endpoints:0:", StringComparison.Ordinal))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Settings))]
    public void An_extreme_number_is_refused_by_name_or_serves(string path)
    {
        var setting = NumberSetting.FindAll(NumberWorld.NewOptions()).Single(s => s.Path == path);
        var wrong = new List<string>();
        foreach (var value in setting.Extremes().Concat(setting.Edges(setting.Get(NumberWorld.NewOptions())!, v => MistakesOf(setting, v).Count == 0)).Distinct())
        {
            var shown = NumberSetting.Shown(value);
            var mistakes = MistakesOf(setting, value);
            if (mistakes.Any(m => m.Contains(setting.Name, StringComparison.Ordinal) && m.Contains(shown, StringComparison.Ordinal) && IsRange(m)))
                continue;
            if (mistakes.Count > 0)
                wrong.Add($"{shown} is not refused by name: {string.Join(' ', mistakes)}");
            else
                wrong.AddRange(Serve(setting, value).Select(w => $"{shown}: {w}"));
        }
        string.Join('\n', wrong.Distinct()).Should().BeEmpty();
    }

    [Fact]
    public void The_pool_serves_with_usual_numbers() => new NumberWorld(_folder).Run(NumberWorld.NewOptions(), NumberWorld.NewOptions()).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Settings))]
    public void Every_number_has_a_range(string path)
    {
        var setting = NumberSetting.FindAll(NumberWorld.NewOptions()).Single(s => s.Path == path);
        foreach (var value in setting.Extremes().Where(static v => v is TimeSpan { TotalDays: < 0 or > 3650 } || v is double number && (!double.IsFinite(number) || number is < 0 or > 1e12)))
            MistakesOf(setting, value).Should().Contain(m => m.Contains(setting.Name, StringComparison.Ordinal), "{0} is {1}", path, value);
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task A_reload_of_a_number_out_of_its_range_is_refused_by_name_and_the_old_number_stays(string path)
    {
        var setting = NumberSetting.FindAll(NumberWorld.NewOptions()).Single(s => s.Path == path);
        await using var pool = new EndpointPool("numbers", NumberWorld.NewOptions(), new EndpointPoolParts { TimeProvider = new ManualTimeProvider() });
        var before = setting.Get(pool.Options);
        foreach (var value in setting.Extremes().Where(v => MistakesOf(setting, v).Count > 0))
        {
            pool.Invoking(p => p.Update(With(setting, value))).Should().Throw<OptionsValidationException>().Which.Message.Should().Contain(setting.Name).And.Contain(NumberSetting.Shown(value));
            setting.Get(pool.Options).Should().Be(before);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Numbers_at_the_edges_of_their_ranges_serve_together(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < Effort.Of(8); round++)
        {
            var (options, chosen) = (NumberWorld.NewOptions(), new List<string>());
            foreach (var setting in NumberSetting.FindAll(options).Where(s => s.Get(options) is not null && random.Next(3) == 0))
            {
                var edges = setting.Edges(setting.Get(options)!, v => IsAccepted(options, setting, v)).ToArray();
                if (edges.Length == 0)
                    continue;
                var edge = edges[random.Next(edges.Length)];
                setting.Set(options, edge);
                chosen.Add($"{setting.Path} {NumberSetting.Shown(edge)}");
            }
            var world = new NumberWorld(_folder) { AreTimesExtreme = true };
            string.Join('\n', [.. world.Run(options, NumberWorld.NewOptions()), .. world.Run(NumberWorld.NewOptions(), options)]).Should().BeEmpty("the settings are {0}", string.Join(", ", chosen));
        }
    }

    private static bool IsAccepted(EndpointPoolOptions options, NumberSetting setting, object value)
    {
        var before = setting.Get(options);
        setting.Set(options, value);
        var isAccepted = options.Validate("numbers").Count == 0;
        setting.Set(options, before!);
        return isAccepted;
    }

    private IEnumerable<string> Serve(NumberSetting setting, object value) =>
        [.. new NumberWorld(_folder).Run(With(setting, value), NumberWorld.NewOptions()), .. new NumberWorld(_folder).Run(NumberWorld.NewOptions(), With(setting, value))];

    private static readonly string[] s_rangeWords = [" is needed", "longer than", "shorter than"];

    private static bool IsRange(string message) => s_rangeWords.Any(words => message.Contains(words, StringComparison.Ordinal));

    private static IReadOnlyList<string> MistakesOf(NumberSetting setting, object value) => With(setting, value).Validate("numbers");

    private static EndpointPoolOptions With(NumberSetting setting, object value)
    {
        var options = NumberWorld.NewOptions();
        setting.Set(options, value);
        return options;
    }
}
