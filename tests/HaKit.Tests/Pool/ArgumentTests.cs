using HaKit.Failover;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>A missing argument is refused where it is given, by its name, and not later by code that needs it.</summary>
public sealed class ArgumentTests
{
    public static TheoryData<string, Action> Missing() => new()
    {
        { "name", () => _ = new EndpointPool(null!, new EndpointPoolOptions { AllowEmpty = true }) },
        { "configure", () => Builder().ConfigurePipeline(null!) },
        { "configure", () => Builder().ConfigureEndpointPipeline(null!) },
        { "classifier", () => Builder().AddFaultClassifier(null!) },
        { "action", () => Builder().OnFault(null!) },
        { "services", () => new ResiliencePipelineBuilder<HttpResponseMessage>().AddHaEndpointFailover(null!, "p") },
        { "pool", () => new ResiliencePipelineBuilder<HttpResponseMessage>().AddHaEndpointFailover(Builder().Services.BuildServiceProvider(), null!) },
        { "endpoint", () => throw new EndpointFaultException(null!, new Fault(FaultKind.Unknown)) },
        { "fault", () => throw new EndpointFaultException("a", null!) },
        { "delivered", () => AnswerSeam.AddUsage(1, [], 1, 1) },
    };

    [Theory]
    [MemberData(nameof(Missing))]
    public void A_missing_argument_is_named(string argument, Action call) => call.Should().Throw<ArgumentException>().WithParameterName(argument);

    [Theory]
    [InlineData(null)]
    [InlineData(" ")]
    public void A_failover_without_the_name_of_its_pool_is_told_with_its_remedy(string? name) =>
        FluentActions.Invoking(() => new ResiliencePipelineBuilder<HttpResponseMessage>().AddHaEndpointFailover(Builder().Services.BuildServiceProvider(), name!))
            .Should().Throw<ArgumentException>().WithMessage("AddHaEndpointFailover was given no name of a pool*Give the name itself*").WithParameterName("pool");

    [Fact(Timeout = 60_000)]
    public async Task A_continuation_without_a_reader_is_a_mistake_and_not_an_answer_that_could_not_be_continued()
    {
        await using var pool = TestPool.Create(new ManualTimeProvider(), 2, o =>
        {
            foreach (var endpoint in o.Endpoints)
                endpoint.Continuation = Continuation.AssistantPrefix;
        });
        var cut = new PartialResponseException("test", "a", new Fault(FaultKind.ConnectionReset), 1, AttemptTotals.None, null, null);
        (await FluentActions.Awaiting(async () => await pool.ContinueAsync<int, int>(
            new RequestProfile { MayContinue = true }, cut, new AnswerSoFar(5, null), 0, static (_, _, _) => throw new InvalidOperationException(), null!)).Should().ThrowAsync<ArgumentNullException>())
            .WithParameterName("reader");
    }

    private static IEndpointPoolBuilder Builder() => new ServiceCollection().AddHaEndpointPool("p", static o => o.AllowEmpty = true);
}
