using System.Text;
using BenchmarkDotNet.Attributes;
using HaKit.Testing;

namespace HaKit.Benchmarks;

/// <summary>Measures the cost of the fakes themselves: virtual timers, a call in memory, a call over loopback.</summary>
[MemoryDiagnoser]
public class TestingBenchmarks : IAsyncDisposable
{
    private const int Timers = 10_000;

    private static readonly byte[] Ask = Encoding.UTF8.GetBytes("""{"model":"m","stream":false,"messages":[{"role":"user","content":"hello"}]}""");
    private static readonly byte[] AskStream = Encoding.UTF8.GetBytes("""{"model":"m","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"hello"}]}""");

    private readonly ManualTimeProvider _clock = new();
    private readonly ITimer[] _armed = new ITimer[Timers];
    private readonly FakeHttpEndpoint _endpoint = new();
    private FakeAiServer _server = null!;
    private HttpClient _memory = null!;
    private HttpClient _sockets = null!;
    private int _next;

    [GlobalSetup]
    public async Task Setup()
    {
        for (var i = 0; i < Timers; i++)
            _armed[i] = _clock.CreateTimer(static _ => { }, null, TimeSpan.FromSeconds(1 + i * 7919 % Timers), Timeout.InfiniteTimeSpan);
        _server = await FakeAiServer.StartAsync();
        _memory = _endpoint.CreateClient();
        _sockets = new HttpClient { BaseAddress = new Uri(_server.Address, "v1/") };
    }

    [GlobalCleanup]
    public async ValueTask DisposeAsync()
    {
        _memory.Dispose();
        _sockets.Dispose();
        _endpoint.Dispose();
        await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Description = "Change of one of 10,000 armed timers, to the far and back")]
    public void Change()
    {
        var timer = _armed[_next = (_next + 1) % Timers];
        timer.Change(TimeSpan.FromHours(10), Timeout.InfiniteTimeSpan);
        timer.Change(TimeSpan.FromSeconds(1 + _next), Timeout.InfiniteTimeSpan);
    }

    [Benchmark(Description = "A deadline among 10,000: create, arm, dispose")]
    public void CreateAndDispose() => _clock.CreateTimer(static _ => { }, null, TimeSpan.FromSeconds(100), Timeout.InfiniteTimeSpan).Dispose();

    [Benchmark(Description = "A timer among 10,000: create, arm, fire")]
    public void CreateAndFire()
    {
        _clock.CreateTimer(static _ => { }, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        _clock.AdvanceToNextTimer();
    }

    [Benchmark(Description = "Chat in memory")]
    public Task<int> Memory() => CallAsync(_memory, Ask);

    [Benchmark(Description = "Chat in memory, 100 tokens streamed")]
    public Task<int> MemoryStreamed() => CallAsync(_memory, AskStream);

    [Benchmark(Description = "Chat over loopback")]
    public Task<int> Sockets() => CallAsync(_sockets, Ask);

    [Benchmark(Description = "Chat over loopback, 100 tokens streamed")]
    public Task<int> SocketsStreamed() => CallAsync(_sockets, AskStream);

    private static async Task<int> CallAsync(HttpClient client, byte[] ask)
    {
        using var response = await client.PostAsync("chat/completions", new ByteArrayContent(ask));
        return (await response.Content.ReadAsByteArrayAsync()).Length;
    }
}
