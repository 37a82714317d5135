using System.Text;
using System.Text.Json;
using HaKit.Http;

namespace HaKit.Tests.Http;

public sealed class JsonOutlineTests
{
    private static readonly string[] s_pieces = ["\"", "\\", "{", "}", "[", "]", ":", ",", " ", "a", "\"model\"", "\"stream\":true", "\\\"", "\\\\", "é", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "\"b\":\"c\""];

    [Fact(Timeout = 60_000)]
    public async Task What_is_whole_is_what_closes_every_string_and_bracket()
    {
        await Task.Yield();
        var random = new Random(3);
        for (var round = 0; round < 100_000; round++)
        {
            var text = new StringBuilder();
            for (var i = random.Next(40); i > 0; i--)
                text.Append(s_pieces[random.Next(s_pieces.Length)]);
            var json = Encoding.UTF8.GetBytes(text.ToString());
            JsonOutline.Read(json).IsWhole.Should().Be(IsWhole(json), text.ToString());
        }
    }

    // Finds out the same with a simple loop over all bytes.
    private static bool IsWhole(ReadOnlySpan<byte> json)
    {
        var depth = 0;
        for (var at = 0; at < json.Length; at++)
        {
            if (json[at] is (byte)'{' or (byte)'[')
                depth++;
            if (json[at] is (byte)'}' or (byte)']' && --depth < 0)
                return false;
            if (json[at] != '"')
                continue;
            for (at++; at < json.Length && json[at] != '"'; at++)
            {
                if (json[at] == '\\')
                    at++;
            }

            if (at >= json.Length)
                return false;
        }
        return depth == 0 && !json.Trim(" \t\r\n"u8).IsEmpty;
    }

    [Fact(Timeout = 60_000)]
    public async Task The_model_is_found_wherever_it_lies()
    {
        await Task.Yield();
        for (var before = 0; before < 200; before++)
        {
            foreach (var filler in new[] { "x", "\\\"", "}", "\\\\" })
            {
                var padding = string.Concat(Enumerable.Repeat(filler, before));
                var json = Encoding.UTF8.GetBytes($$"""{"a":{"model":"inner"},"b":"{{padding}}","model":"outer{{padding}}","stream":true,"file_id":"f"}""");
                var outline = JsonOutline.Read(json);
                outline.IsWhole.Should().BeTrue();
                outline.Stream.Should().BeTrue();
                outline.MightNameStoredObject.Should().BeTrue();
                using var document = JsonDocument.Parse(json);
                JsonSerializer.Deserialize<string>(json.AsSpan(outline.Model!.Value)).Should().Be(document.RootElement.GetProperty("model").GetString());
            }
        }
    }
}
