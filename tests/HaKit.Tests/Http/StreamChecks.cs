using System.Text;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Sends streams of a server through a pool whose second endpoint is well, and checks the outcome. Real sockets.</summary>
internal static class StreamChecks
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Starts a pair of servers: the first gives the answer, and the second serves. Below <c>/api/</c> both speak Ollama's dialect, apart from two paths.</summary>
    public static WirePair Pair(string path, RawAnswer answer, bool isStream = true, TimeProvider? time = null)
    {
        var settings = new Dictionary<string, string>();
        if (path.StartsWith("/api/", StringComparison.Ordinal) && path != "/api/pull" && !path.StartsWith("/api/v1/", StringComparison.Ordinal))
            settings["dialect"] = "Ollama";
        return new(new WireInput("", path, isStream, "", null, settings, 200, null, [], []), _ => answer, time: time);
    }

    /// <summary>Cuts a body into packets in several ways: one piece, several pieces that end anywhere, and single bytes if the body is short.</summary>
    public static IEnumerable<byte[][]> Packets(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        yield return [bytes];
        yield return [.. bytes.Chunk(Math.Max(1, bytes.Length / 7))];
        if (bytes.Length < 500)
            yield return [.. bytes.Chunk(1)];
    }

    public static async Task ExpectWholeAsync(string server, string path, string? label, string body)
    {
        foreach (var pieces in Packets(body))
        {
            await using var pair = Pair(path, new RawAnswer(200, label, pieces));
            using var response = await pair.SendAsync("hi", Ct);
            (await response.Content.ReadAsByteArrayAsync(Ct)).Should().Equal(Encoding.UTF8.GetBytes(body), server);
            pair.Asked.Should().Be((1, 0), server);
        }
    }

    public static async Task ExpectPartialAsync(string server, string path, string label, string body)
    {
        foreach (var pieces in Packets(body))
        {
            await using var pair = Pair(path, new RawAnswer(200, label, pieces));
            await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<PartialResponseException>(server);
            pair.Asked.Should().Be((1, 0), server);
        }
    }

    /// <summary>Sends an item for ever, with a number in place of <c>{n}</c> and a random id in place of <c>{id}</c>. The second endpoint must serve within 35 s of virtual time.</summary>
    public static async Task ExpectNoProgressAsync(string server, string path, string label, string item)
    {
        var time = new ManualTimeProvider();
        var random = new Random(1);
        byte[][] pieces = [.. Enumerable.Range(1, 3000).Select(i => Encoding.UTF8.GetBytes(item.Replace("{n}", $"{i}", StringComparison.Ordinal).Replace("{id}", $"{random.NextInt64():x}", StringComparison.Ordinal)))];
        await using var pair = Pair(path, new RawAnswer(200, label, pieces) { Before = (_, token) => Task.Delay(2, token) }, time: time);
        var call = pair.AskAsync();
        while (!call.IsCompleted)
        {
            if (pair.Asked is { First: > 0, Second: 0 })
                time.Advance(TimeSpan.FromSeconds(0.3));
            await Task.WhenAny(call, Task.Delay(5, Ct));
        }
        (await call).Text.Should().Contain("served", server);
        time.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(35), "the limit on the first content bounds them: {0}", server);
    }
}
