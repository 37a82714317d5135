using HaKit.Faults;

namespace HaKit.Tests.Faults;

public sealed class RecordedAnswersTests
{
    public static TheoryData<string> Names => [.. Fixture.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Recorded_answer_means_what_its_file_says(string name)
    {
        var fixture = Fixture.All.Single(f => f.Name == name);
        Fixture.Check(FaultClassifier.Default.Classify(fixture.Evidence(fixture.Dialect)), fixture.Expect, fixture.Source);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Recorded_answer_is_recognised_when_no_dialect_is_declared(string name)
    {
        var fixture = Fixture.All.Single(f => f.Name == name);
        Fixture.Check(FaultClassifier.Default.Classify(fixture.Evidence(WireDialect.Unknown)), $"{fixture.Expect} {fixture.Undeclared}", fixture.Source);
    }

    [Fact]
    public void Every_recorded_answer_names_a_public_source()
    {
        Fixture.All.Should().HaveCountGreaterThan(90);
        Fixture.All.Should().OnlyContain(f => Uri.IsWellFormedUriString(f.Source, UriKind.Absolute));
    }
}
