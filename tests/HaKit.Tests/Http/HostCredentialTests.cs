using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Heartbeats;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Http;

/// <summary>Tests the header of the credential of an endpoint that declares no dialect: the host of a well-known provider decides about it.</summary>
public sealed class HostCredentialTests
{
    private const string Token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Hosts => new()
    {
        { "https://api.anthropic.com", "x-api-key" },
        { "https://api.anthropic.com:8443/v1", "x-api-key" },
        { "https://API.Anthropic.COM/v1", "x-api-key" },
        { "https://api.anthropic.com./v1", "x-api-key" },
        { "http://api.anthropic.com", "x-api-key" },
        { "https://generativelanguage.googleapis.com/v1beta", "x-goog-api-key" },
        { "https://GenerativeLanguage.GoogleApis.com:443/v1beta", "x-goog-api-key" },
        { "https://generativelanguage.googleapis.com/v1beta/openaix", "x-goog-api-key" },
        { "https://a.openai.azure.com/openai/v1", "api-key" },
        { "https://A.OpenAI.Azure.com:444/openai/deployments/{model}?api-version=2024-10-21", "api-key" },
        { "https://a.cognitiveservices.azure.com/openai/v1", "api-key" },
        { "https://a.services.ai.azure.com/models?api-version=2024-05-01-preview", "api-key" },
        { "https://a.b.services.ai.azure.com/openai/v1", "api-key" },
        { "https://generativelanguage.googleapis.com/v1beta/openai", "Authorization" },
        { "https://generativelanguage.googleapis.com/v1beta/OpenAI/", "Authorization" },
        { "https://generativelanguage.googleapis.com/openai/v1beta", "Authorization" },
        { "https://api.openai.com/v1", "Authorization" },
        { "https://api.mistral.ai/v1", "Authorization" },
        { "https://api.anthropic.com.evil.example/v1", "Authorization" },
        { "https://notapi.anthropic.com/v1", "Authorization" },
        { "https://x.api.anthropic.com/v1", "Authorization" },
        { "https://evil.example/api.anthropic.com", "Authorization" },
        { "https://api.anthropic.com@evil.example/v1", "Authorization" },
        { "https://evil.example/v1?api.anthropic.com", "Authorization" },
        { "https://notopenai.azure.com/openai/v1", "Authorization" },
        { "https://openai.azure.com/openai/v1", "Authorization" },
        { "https://a.openai.azure.com.evil.example/openai/v1", "Authorization" },
        { "https://a.notservices.ai.azure.com/v1", "Authorization" },
        { "https://xgenerativelanguage.googleapis.com/v1beta", "Authorization" },
        { "https://llm.example/v1", "Authorization" },
        { "http://127.0.0.1:8000/v1", "Authorization" },
    };

    [Theory]
    [MemberData(nameof(Hosts))]
    public async Task A_call_without_a_dialect_has_the_key_in_the_header_of_its_host(string address, string header)
    {
        await using var world = new World(address);
        var sent = await world.AskAsync("key-1");
        sent.Should().Equal((header, header == "Authorization" ? "Bearer key-1" : "key-1"));
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public async Task A_heartbeat_without_a_dialect_has_the_key_in_the_same_header_as_calls(string address, string header)
    {
        await using var world = new World(address);
        foreach (var probe in (IProbe[])[new ModelsProbe(), new CompletionProbe(), new HttpProbe("/health")])
        {
            var sent = await world.ProbeAsync(probe, "key-1");
            sent.Should().Equal((header, header == "Authorization" ? "Bearer key-1" : "key-1"));
        }
    }

    [Theory]
    [InlineData("https://api.anthropic.com", "Bearer key-1", "Bearer key-1")]
    [InlineData("https://api.anthropic.com", "bearer key-1", "bearer key-1")]
    [InlineData("https://api.anthropic.com", "sk-ant-oat01-abc", "Bearer sk-ant-oat01-abc")]
    [InlineData("https://generativelanguage.googleapis.com/v1beta", "ya29.a0Af", "Bearer ya29.a0Af")]
    [InlineData("https://a.openai.azure.com/openai/v1", Token, "Bearer " + Token)]
    [InlineData("https://a.cognitiveservices.azure.com/openai/v1", Token, "Bearer " + Token)]
    [InlineData("https://a.services.ai.azure.com/models", Token, "Bearer " + Token)]
    [InlineData("https://a.openai.azure.com/openai/v1", "Bearer " + Token, "Bearer " + Token)]
    public async Task An_access_token_goes_to_Authorization_at_every_host(string address, string secret, string value)
    {
        await using var world = new World(address);
        (await world.AskAsync(secret)).Should().Equal(("Authorization", value));
        (await world.ProbeAsync(new ModelsProbe(), secret)).Should().Equal(("Authorization", value));
    }

    [Theory]
    [InlineData("eyJ")]
    [InlineData("eyJhbGciOiJub25lIn0")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0")]
    [InlineData("eyJ.a.b.c")]
    [InlineData("xeyJ.a.b")]
    [InlineData("EYJ.a.b")]
    [InlineData("ya29.a0Af")]
    [InlineData("sk-ant-oat01-abc")]
    public async Task A_key_that_only_resembles_a_token_goes_to_the_header_of_its_host(string secret)
    {
        await using var world = new World("https://a.openai.azure.com/openai/v1");
        (await world.AskAsync(secret)).Should().Equal(("api-key", secret));
    }

    [Theory]
    [InlineData(WireDialect.OpenAI, "https://api.anthropic.com/v1", "key-1", "Authorization", "Bearer key-1")]
    [InlineData(WireDialect.OpenAI, "https://generativelanguage.googleapis.com/v1beta/openai", "key-1", "Authorization", "Bearer key-1")]
    [InlineData(WireDialect.OpenAI, "https://a.openai.azure.com/openai/v1", "key-1", "Authorization", "Bearer key-1")]
    [InlineData(WireDialect.Gemini, "https://generativelanguage.googleapis.com/v1beta/openai", "key-1", "x-goog-api-key", "key-1")]
    [InlineData(WireDialect.AzureOpenAI, "https://gateway.example/openai/v1", "key-1", "api-key", "key-1")]
    [InlineData(WireDialect.AzureOpenAI, "https://a.openai.azure.com/openai/v1", Token, "api-key", Token)]
    [InlineData(WireDialect.Anthropic, "https://api.anthropic.com", "sk-ant-oat01-abc", "x-api-key", "sk-ant-oat01-abc")]
    [InlineData(WireDialect.Anthropic, "https://a.services.ai.azure.com/anthropic", "key-1", "x-api-key", "key-1")]
    public async Task A_declared_dialect_alone_decides(WireDialect dialect, string address, string secret, string header, string value)
    {
        await using var world = new World(address, dialect);
        (await world.AskAsync(secret)).Should().Equal((header, value));
        (await world.ProbeAsync(new ModelsProbe(), secret)).Should().Equal((header, value));
    }

    [Theory]
    [InlineData("v1beta/openai/chat/completions", "Authorization", "Bearer key-1")]
    [InlineData("v1beta/models/m:generateContent", "x-goog-api-key", "key-1")]
    public async Task At_Google_the_path_of_the_request_decides_between_two_headers(string path, string header, string value)
    {
        await using var world = new World("https://generativelanguage.googleapis.com");
        (await world.AskAsync("key-1", path)).Should().Equal((header, value));
    }

    [Fact]
    public async Task A_redirect_within_the_host_keeps_the_header()
    {
        await using var world = new World("https://api.anthropic.com/v1") { Location = "https://api.anthropic.com/v1/moved" };
        (await world.AskAsync("key-1")).Should().Equal(("x-api-key", "key-1"));
        world.Sent.Should().HaveCount(2);
        world.Sent.Select(World.CredentialsOf).Should().AllSatisfy(c => c.Should().Equal(("x-api-key", "key-1")));
    }

    [Fact]
    public async Task A_dialect_that_is_not_declared_stays_unknown()
    {
        await using var world = new World("https://api.anthropic.com");
        world.Pool.Endpoints[0].Dialect.Should().Be(WireDialect.Unknown);
        await world.ProbeAsync(new ModelsProbe(), "key-1");
        world.Sent[^1].Headers.Contains("anthropic-version").Should().BeFalse("only the header of the key is inferred");
    }

    [Fact]
    public void A_header_and_a_credential_for_the_same_header_are_a_mistake_without_a_dialect_too()
    {
        var options = new EndpointPoolOptions
        {
            Endpoints = { new EndpointOptions { Name = "a", Address = "https://api.anthropic.com", Credential = "key-1", Headers = { ["x-api-key"] = "key-2" } } },
        };
        FluentActions.Invoking(() => new EndpointPool("p", options)).Should().Throw<OptionsValidationException>().WithMessage("*has the header 'x-api-key', and Credential is set too*");
    }

    [Fact]
    public void A_look_alike_of_a_host_never_gets_the_header_of_the_host()
    {
        var random = new Random(1);
        const string Letters = "abcxyz";
        string[] names = ["api.anthropic.com", "generativelanguage.googleapis.com", "a.openai.azure.com", "a.cognitiveservices.azure.com", "a.services.ai.azure.com"];
        for (var i = 0; i < 2000; i++)
        {
            var name = names[random.Next(names.Length)];
            var letter = Letters[random.Next(Letters.Length)];
            ProviderHosts.Find(new Uri($"https://{name}.{letter}x.example/v1")).Should().BeNull();
            ProviderHosts.Find(new Uri($"https://{name}{letter}/v1")).Should().BeNull();
            var at = name.IndexOf('.', StringComparison.Ordinal) + 1;
            ProviderHosts.Find(new Uri($"https://x{name[..at]}x{name[at..]}/v1")).Should().BeNull();
            var upper = string.Concat(name.Select(c => random.Next(2) == 0 ? char.ToUpperInvariant(c) : c));
            ProviderHosts.Find(new Uri($"https://{upper}:{random.Next(1, 65536)}/{letter}")).Should().Be(ProviderHosts.Find(new Uri($"https://{name}"))).And.NotBeNull();
        }
    }

    [Theory]
    [InlineData("Authorization", "Bearer key-1")]
    [InlineData("api-key", "key-1")]
    [InlineData("x-api-key", "key-1")]
    [InlineData("x-goog-api-key", "key-1")]
    public async Task A_fake_reads_the_key_from_the_header_of_every_provider(string header, string value)
    {
        using var http = new HttpMessageInvoker(new Testing.FakeHttpEndpoint(new Testing.FakeAiOptions { Name = "a", ApiKey = "key-1" }));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://fake.test/v1/chat/completions") { Content = HttpPool.Chat("hi") };
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await http.SendAsync(request, Ct);
        response.StatusCode.Should().Be(System.Net.HttpStatusCode.OK);
    }

    [Fact]
    public void The_header_of_a_host_costs_no_allocation()
    {
        using var world = new World("https://api.anthropic.com");
        var member = world.Pool.Endpoints[0];
        var allocated = long.MaxValue;
        // The first calls allocate in the runtime, until it has compiled the search for forbidden characters with optimizations. It does so on another thread, and later while other tests run.
        for (var round = 0; allocated != 0 && round < 30_000; round++)
        {
            Thread.Sleep(1);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
                CredentialHeader.HeaderFor(member, "key-1");
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        allocated.Should().Be(0, "the host was found when the endpoint was made");
    }

    /// <summary>Creates a pool of one endpoint whose requests are answered in memory.</summary>
    private sealed class World : IAsyncDisposable, IDisposable
    {
        private static readonly string[] s_credentials = ["Authorization", "x-api-key", "x-goog-api-key", "api-key"];

        private readonly HttpMessageInvoker _http;
        private readonly HttpClient _client;
        private string _secret = "";

        public World(string address, WireDialect dialect = WireDialect.Unknown)
        {
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, Endpoints = { new EndpointOptions { Name = "a", Address = address, Dialect = dialect } } };
            Pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = new Testing.ManualTimeProvider(), Credential = (_, _) => new(_secret) });
            var answers = new Answers(this);
            _http = new HttpMessageInvoker(answers);
            _client = new HttpClient(new EndpointPoolHandler(Pool) { InnerHandler = answers }) { BaseAddress = new Uri(Pool.Origin.AbsoluteUri.TrimEnd('/') + "/"), Timeout = Timeout.InfiniteTimeSpan };
        }

        public EndpointPool Pool { get; }

        /// <summary>Gets the address to which the first request is redirected. Null: none.</summary>
        public string? Location { get; init; }

        public List<HttpRequestMessage> Sent { get; } = [];

        public static IEnumerable<(string Header, string Value)> CredentialsOf(HttpRequestMessage request) =>
            s_credentials.Where(request.Headers.Contains).SelectMany(h => request.Headers.NonValidated[h].Select(v => (h, v)));

        /// <summary>Makes a call with another credential of the caller, and gets the credentials that were sent last.</summary>
        public async Task<(string Header, string Value)[]> AskAsync(string secret, string path = "chat/completions")
        {
            _secret = secret;
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = HttpPool.Chat("hi") };
            request.Headers.Add("Authorization", "Bearer callers");
            request.Headers.Add("x-api-key", "callers");
            (await _client.SendAsync(request, Ct)).Dispose();
            return [.. CredentialsOf(Sent[^1])];
        }

        /// <summary>Sends a probe, and gets the credentials that were sent last.</summary>
        public async Task<(string Header, string Value)[]> ProbeAsync(IProbe probe, string secret)
        {
            var context = new ProbeContext { Endpoint = Pool.Endpoints[0], Http = _http, Classifier = HaKit.Faults.FaultClassifier.Default, Time = TimeProvider.System, Credential = (_, _) => new(secret) };
            await probe.ProbeAsync(context, Ct);
            return [.. CredentialsOf(Sent[^1])];
        }

        public ValueTask DisposeAsync()
        {
            _client.Dispose();
            _http.Dispose();
            return Pool.DisposeAsync();
        }

        public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private sealed class Answers(World world) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            world.Sent.Add(request);
            if (world.Location is { } location && world.Sent.Count == 1)
                return Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.TemporaryRedirect) { Headers = { Location = new Uri(location) }, RequestMessage = request });
            return Task.FromResult(new HttpResponseMessage { RequestMessage = request, Content = new ByteArrayContent("""{"choices":[{"message":{}}]}"""u8.ToArray()) { Headers = { { "Content-Type", "application/json" } } } });
        }
    }
}
