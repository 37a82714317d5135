using System.Text;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>Tests, over real sockets, that no call is lost because of an endpoint that is out of service, if another endpoint can serve the call.</summary>
public sealed class StandbyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool, string> Hiccups()
    {
        var data = new TheoryData<string, bool, string>();
        foreach (var sdk in new[] { false, true })
        {
            foreach (var standby in new[] { "ejected", "drained", "forced down" })
            {
                foreach (var hiccup in new[] { "503", "500", "reset" })
                    data.Add(hiccup, sdk, standby);
            }
        }

        return data;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Hiccups))]
    public async Task A_hiccup_of_one_second_beside_a_standby_that_is_out_loses_no_call(string hiccup, bool sdk, string standby)
    {
        await using var well = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await using var other = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await using var world = new Standby(well, other);
        await world.TakeOutAsync(standby, other);

        Task<string>[] calls;
        using (well.Faults.Always(hiccup == "reset" ? FakeFault.Reset : FakeFault.Status(hiccup == "503" ? 503 : 500)))
        {
            calls = [.. Enumerable.Range(0, 8).Select(_ => world.AskAsync(sdk))];
            await Task.Delay(TimeSpan.FromSeconds(1), Ct);
        }
        (await Task.WhenAll(calls)).Should().OnlyContain(text => text.Contains(SdkWorld.Answer, StringComparison.Ordinal));
    }

    /// <summary>Creates a pool of two endpoints on the real clock.</summary>
    private sealed class Standby : IAsyncDisposable
    {
        private readonly SdkWorld _world;
        private readonly HttpClient _client;

        public Standby(FakeAiServer well, FakeAiServer other)
        {
            _world = SdkWorld.Over([well, other], o =>
            {
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30);
                o.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(60);
            }, TimeProvider.System);
            _client = _world.Pool.CreateHttpClient();
        }

        public async Task TakeOutAsync(string how, FakeAiServer other)
        {
            if (how == "drained")
            {
                await _world.Pool.DrainAsync("s1", Ct);
            }
            else if (how == "forced down")
            {
                await _world.Pool.ForceDownAsync("s1");
            }
            else
            {
                using var down = other.Faults.Always(FakeFault.Status(503));
                var only = new RequestProfile { Endpoints = ["s1"], MaxWait = TimeSpan.Zero };
                while (_world.Pool.Explain(RequestProfile.Default)[1].Health.Status != EndpointHealthStatus.Ejected)
                    await PostAsync(only);
            }
        }

        public async Task<string> AskAsync(bool sdk) => sdk ? await _world.AskAsync(Sdk.OpenAI, streamed: false) : await PostAsync(RequestProfile.Default);

        private async Task<string> PostAsync(RequestProfile profile)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_world.Pool.Origin, "v1/chat/completions"))
            {
                Content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":20}""", Encoding.UTF8, "application/json"),
            };
            request.Options.Set(EndpointPoolHandler.ProfileKey, profile);
            try
            {
                using var response = await _client.SendAsync(request, Ct);
                return await response.Content.ReadAsStringAsync(Ct);
            }
            catch (EndpointPoolException e)
            {
                return e.Message;
            }
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await _world.DisposeAsync();
        }
    }
}
