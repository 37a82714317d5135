namespace HaKit.Release.Tests.Mistakes;

/// <summary>
/// Tests plausible mistakes of a newcomer. Each mistake is refused, or named in the log, at start-up or at the first call, with its place and its remedy.
/// </summary>
public sealed class MistakeTests
{
    private static readonly Dictionary<string, Mistake> s_mistakes =
        SettingMistakes.All.Concat(ApplicationMistakes.All).Concat(SecretMistakes.All).Concat(PlaceMistakes.All).Concat(StorageMistakes.All).Concat(ToolMistakes.All)
            .Concat(EndpointMistakes.All).Concat(EffectMistakes.All).Concat(WiringMistakes.All).Concat(VaultMistakes.All).Concat(AvailabilityMistakes.All)
            .Concat(FormMistakes.All).Concat(ForeignMistakes.All).Concat(UnitMistakes.All).Concat(ContainerMistakes.All).Concat(PackageMistakes.All).ToDictionary(m => m.Name, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. s_mistakes.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_plausible_mistake_is_told_with_what_where_and_the_cure(string mistake)
    {
        var expected = s_mistakes[mistake];
        var message = await expected.Message();
        TestContext.Current.TestOutputHelper?.WriteLine(message);
        message.Should().Contain(expected.Thing, "that is what is wrong").And.Contain(expected.Place, "that is where it is").And.Contain(expected.Cure, "that is what helps")
            .And.NotContain("planted", "no message shows a secret").And.NotContain("abc123456789", "no message shows a key");
    }

    [Fact]
    public void There_are_at_least_48_of_them() => s_mistakes.Count.Should().BeGreaterThanOrEqualTo(48);
}
