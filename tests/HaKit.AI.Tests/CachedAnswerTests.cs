using HaKit.AI.Tests.Chat;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;

namespace HaKit.AI.Tests;

/// <summary>No endpoint of this call has served an answer from a cache, so the answer must not name an endpoint.</summary>
public sealed class CachedAnswerTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cached_answer_names_no_endpoint(bool streamed)
    {
        var world = new ChatWorld(1);
        await using var pool = world.Pool;
        using var client = world.Client.AsBuilder().UseDistributedCache(new Cache()).Build();

        (await AskAsync(client, streamed)).Should().Be(("a", ChatWorld.AnswerToHi));
        (await AskAsync(client, streamed)).Should().Be((null, ChatWorld.AnswerToHi));
        pool.GetStatus().Endpoints[0].Successes.Should().Be(1);
    }

    private static async Task<(string? Endpoint, string Text)> AskAsync(IChatClient client, bool streamed)
    {
        var response = streamed
            ? await client.GetStreamingResponseAsync(ChatWorld.Hi, null, Ct).ToChatResponseAsync(Ct)
            : await client.GetResponseAsync(ChatWorld.Hi, null, Ct);
        return (response.GetServingEndpoint(), response.Text);
    }

    private sealed class Cache : IDistributedCache
    {
        private readonly Dictionary<string, byte[]> _values = [];

        public byte[]? Get(string key) => _values.GetValueOrDefault(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => Task.FromResult(Get(key));

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => _values[key] = value;

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            Set(key, value, options);
            return Task.CompletedTask;
        }

        public void Refresh(string key)
        {
        }

        public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

        public void Remove(string key) => _values.Remove(key);

        public Task RemoveAsync(string key, CancellationToken token = default)
        {
            Remove(key);
            return Task.CompletedTask;
        }
    }
}
