using System.Net;
using System.Net.Http.Headers;
using System.Text;
using HaKit.Peers;
using HaKit.Tests.Http;

namespace HaKit.Tests.Peers;

/// <summary>Tests that a cooldown of the old key, which one replica shares, does not affect an endpoint that uses the new key.</summary>
public sealed class CredentialRotationTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [Theory(Timeout = 10_000)]
    [InlineData(null)]
    [InlineData("from code")]
    public async Task A_shared_429_of_the_old_key_does_not_cool_an_endpoint_that_has_the_new_key(string? fromCode)
    {
        await using var throttled = new Replica { IsThrottled = true };
        await throttled.CallAllAsync();
        throttled.Http.Time.Advance(s_second);
        var fact = throttled.Published.Should().ContainSingle(f => f.Kind == PeerFactKind.Cooldown).Subject with { Replica = "another" }; // equal seeds give equal names

        // A source of credentials that has nothing for this endpoint leaves it to the options.
        await using var other = new Replica(p => p.Credential = fromCode is null ? null : static (endpoint, _) => new(endpoint.Name == "b" ? "sk-b" : null));
        await other.CallAllAsync();
        other.Reload("sk-new");
        other.Http.Pool.Learn(fact);
        other.Admits("a").Should().BeTrue("it has the new key");

        other.Reload("sk-old");
        other.Http.Pool.Learn(fact with { Version = fact.Version + 1 });
        other.Admits("a").Should().BeFalse("it has the old key again");
    }

    [Fact(Timeout = 10_000)]
    public async Task A_429_of_an_attempt_from_before_the_reload_is_not_shared_as_a_429_of_the_new_key()
    {
        var answer = new TaskCompletionSource();
        await using var rotated = new Replica { IsThrottled = true, Answer = answer.Task };
        var calls = rotated.CallAllAsync();
        rotated.Http.Time.Advance(s_second);
        rotated.Reload("sk-new");
        answer.SetResult();
        await calls;
        rotated.Http.Time.Advance(s_second);
        rotated.Admits("a").Should().BeFalse("the server asked this replica to wait");
        rotated.Published.Should().NotContain(f => f.Kind == PeerFactKind.Cooldown);

        rotated.Http.Time.Advance(TimeSpan.FromSeconds(700));
        await rotated.CallAllAsync();
        rotated.Http.Time.Advance(s_second);
        rotated.Published.Should().Contain(f => f.Kind == PeerFactKind.Cooldown, "this attempt used the new key");
    }

    private sealed class Replica : HttpMessageHandler, IPeerLink, IAsyncDisposable
    {
        private EndpointPoolOptions _options = null!;

        public Replica(Action<EndpointPoolParts>? parts = null) => Http = new HttpPool(
            configure: options =>
            {
                _options = options;
                options.Endpoints[0].Credential = "sk-old";
            },
            parts: made =>
            {
                made.PeerLink = _ => this;
                parts?.Invoke(made);
            },
            inner: this);

        public HttpPool Http { get; }

        public List<PeerFact> Published { get; } = [];

        public bool IsThrottled { get; init; }

        public Task Answer { get; init; } = Task.CompletedTask;

        public PeerLinkStatus Status { get; } = new() { IsConnected = true };

        public void Start(Action<PeerNews> listener)
        {
        }

        public void Publish(IReadOnlyList<PeerFact> facts) => Published.AddRange(facts);

        public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => new(TimeSpan.FromSeconds(10));

        public void Reload(string credential)
        {
            _options.Endpoints[0].Credential = credential;
            Http.Pool.Update(_options);
        }

        public bool Admits(string endpoint) => Http.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == endpoint).Health.Admits(Http.Time.Elapsed);

        /// <summary>Sends as many calls as there are endpoints.</summary>
        public Task<string[]> CallAllAsync() => Task.WhenAll(Http.ReadAsync(HttpPool.Chat("one")), Http.ReadAsync(HttpPool.Chat("two")));

        public ValueTask DisposeAsync() => Http.DisposeAsync();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Answer;
            if (IsThrottled && request.RequestUri!.Port == 9000)
                return new HttpResponseMessage(HttpStatusCode.TooManyRequests) { Headers = { RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(600)) } };
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent("""{"choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}""", Encoding.UTF8, "application/json"),
            };
        }
    }
}
