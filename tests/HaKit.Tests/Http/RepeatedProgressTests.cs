using System.Text;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>An event that only repeats the event before it is a keep-alive. An event that differs from it shows that the server works on the answer.</summary>
public sealed class RepeatedProgressTests
{
    private readonly SseReader _reader = new(FaultClassifier.Default, WireDialect.OpenAI, TimeProvider.System, RequestKind.CreatesAnswer);

    [Theory]
    [InlineData("response.web_search_call.searching")]
    [InlineData("thread.run.step.in_progress")]
    public void A_named_event_that_repeats_itself_is_progress_once(string name)
    {
        Read(name, "{\"id\":\"x\",\"sequence_number\":1}").Should().Be(StreamSignal.Progress);
        for (var number = 2; number < 20; number++)
            Read(name, $"{{\"id\":\"x\",\"sequence_number\":{number}}}").Should().Be(StreamSignal.None);
        Read(name, "{\"id\":\"y\",\"sequence_number\":20}").Should().Be(StreamSignal.Progress);
    }

    [Fact]
    public void Events_with_other_names_or_other_data_are_progress()
    {
        for (var item = 0; item < 20; item++)
        {
            foreach (var step in new[] { "in_progress", "searching", "completed" })
                Read($"response.web_search_call.{step}", "{\"output_index\":0}").Should().Be(StreamSignal.Progress);
        }
    }

    [Fact]
    public void Unknown_events_with_other_names_are_progress()
    {
        for (var turn = 0; turn < 20; turn++)
        {
            foreach (var step in new[] { "agent.searching", "agent.reading" })
                Read(step, "{\"at\":0}").Should().Be(StreamSignal.Progress);
        }
    }

    private StreamSignal Read(string name, string data) => _reader.Read(Encoding.UTF8.GetBytes($"event: {name}\ndata: {data}\n\n"));
}
