using Microsoft.Extensions.AI;

namespace HaKit.Testing.Tests;

/// <summary>A wrong argument of a fake is refused where it is given, by its name.</summary>
public sealed class ArgumentTests
{
    public static TheoryData<string, Action> Wrong() => new()
    {
        { "maxTokens", () => FakeAnswers.AnswerTo("x", 0) },
        { "maxTokens", () => FakeAnswers.AnswerTo("x", -1) },
        { "answer", () => _ = new FakeEndpoint<int>("a", null!) },
        { "messages", () => new FakeChatClient("a").GetResponseAsync((IEnumerable<ChatMessage>)null!).GetAwaiter().GetResult() },
        { "values", () => new FakeEmbeddingGenerator("a").GenerateAsync(null!).GetAwaiter().GetResult() },
        { "reason", () => FakeFault.FinishReason(null!) },
        { "name", () => FakeFault.None.WithHeader(null!, "x") },
        { "value", () => FakeFault.None.WithHeader("x", null!) },
        { "name", () => FakeFault.Hang.Named(null!) },
        { "choose", () => _ = new MetricRecorder((Func<System.Diagnostics.Metrics.Instrument, bool>)null!) },
        { "count", () => new Simulation().Endpoints(0, ServiceModel.Fixed(TimeSpan.Zero)) },
        { "name", () => new Simulation().Endpoint(" ", ServiceModel.Fixed(TimeSpan.Zero)) },
        { "up", () => new Simulation().Flap("a", FakeFault.Hang, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(-1)) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_argument_is_named(string argument, Action call) => call.Should().Throw<ArgumentException>().WithParameterName(argument);
}
