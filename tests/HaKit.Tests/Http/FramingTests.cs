using System.Net.ServerSentEvents;
using System.Text;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>Compares the reader of events with the runtime's own reader, over streams that are framed differently at random.</summary>
public sealed class FramingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_are_read_as_the_runtime_reads_them_however_they_are_framed_and_cut()
    {
        for (var seed = 0; seed < Effort.Of(2_000); seed++)
        {
            var random = new Random(seed);
            var bytes = Encoding.UTF8.GetBytes(Stream(random));
            var expected = SseParser.Create(new MemoryStream(bytes)).Enumerate().Select(e => (e.EventType, e.Data)).ToList();
            var body = new Pieces(bytes, random);
            await using var events = new SseEvents(body, body, 1 << 20) { IsHolding = random.Next(2) == 0 };
            var reader = new EventData();
            var found = new List<(string, string)>();
            var all = new MemoryStream();
            await foreach (var item in events.WithCancellation(Ct))
            {
                all.Write(item.Span);
                var data = reader.Read(item.Span, out var name);
                if (!data.IsEmpty)
                    found.Add((name.IsEmpty ? "message" : Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(data)));
            }
            all.ToArray().Should().Equal(bytes, $"seed {seed}");
            found.Should().Equal(expected, $"seed {seed}");
        }
    }

    [Theory]
    [InlineData("data : {\"a\":1}\n\n", "", "{\"a\":1}")]
    [InlineData("\uFEFFdata:{\"a\":1}\r\r", "", "{\"a\":1}")]
    [InlineData("data: {\"a\":1}\nevent: x\n\n", "x", "{\"a\":1}")]
    [InlineData("id: 7\nretry: 3\ndata: {\ndata: \"a\":1}\n\n", "", "{\n\"a\":1}")]
    [InlineData("{\n \"a\": 1\n}", "", "{\n \"a\": 1\n}")]
    [InlineData("[{\"a\":1}", "", "{\"a\":1}")]
    [InlineData(",\r\n{\"a\":1}", "", "{\"a\":1}")]
    [InlineData("error: x\n\n", "", "x")]
    [InlineData(": comment\n\n", "", "")]
    public void Fields_are_read_in_any_legal_form_and_some_that_are_not(string item, string name, string data)
    {
        var found = new EventData().Read(Encoding.UTF8.GetBytes(item), out var found2);
        Encoding.UTF8.GetString(found).Should().Be(data);
        Encoding.UTF8.GetString(found2).Should().Be(name);
    }

    [Fact]
    public async Task Values_of_JSON_are_split_wherever_the_bytes_were_and_nothing_is_lost()
    {
        for (var seed = 0; seed < Effort.Of(2_000); seed++)
        {
            var random = new Random(seed);
            var isArray = random.Next(2) == 0;
            var values = Enumerable.Range(0, random.Next(1, 6)).Select(i => Value(random, i)).ToArray();
            string[] spaces = ["\n", "\r\n", " ", "\n\n"];
            var text = (random.Next(4) == 0 ? "\uFEFF" : "") + (isArray ? "[" : "") + string.Join(isArray ? "," + spaces[random.Next(4)] : spaces[random.Next(4)], values) + (isArray ? "\n]" : "\n");
            var bytes = Encoding.UTF8.GetBytes(text);
            var body = new Pieces(bytes, random);
            await using var events = new SseEvents(body, body, 1 << 20, isLabelled: random.Next(2) == 0) { IsHolding = random.Next(2) == 0 };
            var reader = new EventData();
            var found = new List<string>();
            var all = new MemoryStream();
            await foreach (var item in events.WithCancellation(Ct))
            {
                all.Write(item.Span);
                var data = reader.Read(item.Span, out _);
                if (!data.IsEmpty && data[0] == '{')
                    found.Add(Encoding.UTF8.GetString(data));
            }
            all.ToArray().Should().Equal(bytes, $"seed {seed}");
            found.Should().Equal(values, $"seed {seed}");
        }

        static string Value(Random random, int i) => i % 3 == 0 ? "{}" : "{\"a\":\"}]{[\\\"\\\\\",\"b\":[1,{\"c\":\"é" + new string('x', random.Next(300)) + "\"}],\"n\":" + i + "}";
    }

    private static string Stream(Random random)
    {
        string[] ends = ["\n", "\r\n", "\r"];
        var end = ends[random.Next(3)];
        var text = new StringBuilder(random.Next(4) == 0 ? "\uFEFF" : "");
        for (var i = random.Next(1, 8); i > 0; i--)
        {
            var lines = new List<string>();
            for (var j = random.Next(0, 4); j > 0; j--)
                lines.Add("data:" + (random.Next(2) == 0 ? " " : "") + $"{{\"v\":\"{new string('é', random.Next(0, 200))}\",\"n\":{j}}}");
            // The runtime keeps the name of an event without data for the next event. The standard and HaKit drop the name.
            if (lines.Count > 0 && random.Next(2) == 0)
                lines.Insert(random.Next(lines.Count + 1), $"event:{(random.Next(2) == 0 ? " " : "")}kind{random.Next(3)}");
            if (random.Next(3) == 0)
                lines.Insert(random.Next(lines.Count + 1), ": keep-alive");
            if (random.Next(3) == 0)
                lines.Insert(random.Next(lines.Count + 1), $"id: {random.Next()}");
            foreach (var line in lines)
                text.Append(line).Append(end);
            text.Append(end);
        }
        return text.ToString();
    }

    private sealed class Pieces(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(random.Next(1, 120), buffer.Length)], cancellationToken);
    }
}
