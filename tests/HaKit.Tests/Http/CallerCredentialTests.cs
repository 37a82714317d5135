using System.Net;
using HaKit.Attempts;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>A credential of the caller goes to the endpoint for which it is meant, and to no other endpoint.</summary>
public sealed class CallerCredentialTests
{
    private const string Secret = "sk-planted-7f3a";
    private const string Refused = "sk-refused-5c1e";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Forms()
    {
        var forms = new TheoryData<string, bool>();
        foreach (var header in (string[])
        [
            "Authorization", "Proxy-Authorization", "Cookie", "api-key", "x-api-key", "x-goog-api-key", "Ocp-Apim-Subscription-Key", "x-functions-key", "X-Auth-Token", "x-amz-security-token",
            "X-Vault-Token", "apikey", "X-Client-Secret", "X-Custom_Key",
        ])
        {
            forms.Add(header, true);
        }

        foreach (var parameter in (string[])["key", "sig", "code", "api_key", "access_token", "subscription-key", "X-Amz-Signature", "apiKey", "t%6Fken"])
            forms.Add(parameter, false);
        return forms;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task It_never_reaches_an_endpoint_that_has_its_own(string name, bool isHeader)
    {
        var sent = await AskAsync(name, isHeader, e => e.Credential = "own");
        Shows(sent, Secret).Should().BeFalse();
        Shows(sent, "own").Should().BeTrue();
        Shows(await AskAsync(name, isHeader, e => e.Headers["x-api-key"] = "own"), Secret).Should().BeFalse();
        Shows(await AskAsync(name, isHeader, e => e.Address += "?key=own"), Secret).Should().BeFalse();
        Shows(await AskAsync(name, isHeader, e => (e.Credential, e.ForwardCallerCredential) = ("own", true)), Secret).Should().BeFalse("its own goes first, whatever may be forwarded");
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task It_reaches_an_endpoint_without_one_only_on_the_origins_server_or_where_that_is_said(string name, bool isHeader)
    {
        Shows(await AskAsync(name, isHeader, _ => { }), Secret).Should().BeTrue("the endpoint is where the caller sends it");
        Shows(await AskAsync(name, isHeader, _ => { }, o => o.Origin = "https://other.example/v1"), Secret).Should().BeFalse();
        Shows(await AskAsync(name, isHeader, e => e.ForwardCallerCredential = true, o => o.Origin = "https://other.example/v1"), Secret).Should().BeTrue();
        Shows(await AskAsync(name, isHeader, _ => { }, o => (o.Origin, o.Http.ForwardCallerCredential) = ("https://other.example/v1", true)), Secret).Should().BeTrue();
        Shows(await AskAsync(name, isHeader, e => e.ForwardCallerCredential = false, o => (o.Origin, o.Http.ForwardCallerCredential) = ("https://other.example/v1", true)), Secret).Should().BeFalse();
        Shows(await AskAsync(name, isHeader, e => e.ForwardCallerCredential = false), Secret).Should().BeFalse();
    }

    [Theory]
    [InlineData("Idempotency-Key", true)]
    [InlineData("x-amz-prompt-cache-key", true)]
    [InlineData("X-Cache-Key", true)]
    [InlineData("x-ms-documentdb-partition-key", true)]
    [InlineData("User-Agent", true)]
    [InlineData("x-request-id", true)]
    [InlineData("page_token", false)]
    [InlineData("pageToken", false)]
    [InlineData("api-version", false)]
    [InlineData("max_tokens", false)]
    [InlineData("monkey", false)]
    [InlineData("X-Monkey", true)]
    public async Task What_is_only_named_alike_goes_everywhere(string name, bool isHeader) =>
        Shows(await AskAsync(name, isHeader, e => e.Credential = "own", o => o.Origin = "https://other.example/v1"), Secret).Should().BeTrue();

    [Fact]
    public async Task Further_names_can_be_added()
    {
        void Add(EndpointPoolOptions options) => options.Http.CredentialNames = ["X-Tenant", "*-pass"];
        foreach (var name in (string[])["x-tenant", "My-Pass"])
        {
            Shows(await AskAsync(name, isHeader: true, e => e.Credential = "own", Add), Secret).Should().BeFalse();
            Shows(await AskAsync(name, isHeader: false, e => e.Credential = "own", Add), Secret).Should().BeFalse();
            Shows(await AskAsync(name, isHeader: true, e => e.Credential = "own"), Secret).Should().BeTrue();
        }
    }

    [Fact]
    public async Task A_name_that_a_reload_adds_or_removes_counts_at_once_for_endpoints_that_stay()
    {
        EndpointPoolOptions options = null!;
        await using var http = new HttpPool(1, inner: new Ok(), configure: o => (o.Endpoints[0].Credential, options) = ("own", o));
        foreach (var names in (string[][])[[], ["X-Tenant"], ["X-Tenant", "X-Other"], []])
        {
            options.Http.CredentialNames = names;
            http.Pool.Update(options);
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
            request.Headers.TryAddWithoutValidation("X-Tenant", Secret).Should().BeTrue();
            using var response = await http.Client.SendAsync(request, Ct);
            Shows(http.Sent[^1], Secret).Should().Be(names.Length == 0, "the names are {0}", string.Join(' ', names));
        }
    }

    [Theory]
    [InlineData("Authorization", true)]
    [InlineData("api-key", true)]
    [InlineData("X-Tenant", true)]
    [InlineData("key", false)]
    [InlineData("x-tenant", false)]
    public async Task One_that_is_refused_takes_the_endpoint_from_no_other_caller(string name, bool isHeader)
    {
        await using var http = new HttpPool(1, inner: new Ok(), configure: o => o.Http.CredentialNames = ["X-Tenant"]);
        await FluentActions.Awaiting(() => StatusAsync(Refused)).Should().ThrowAsync<EndpointPoolException>();
        (await StatusAsync("good")).Should().Be(HttpStatusCode.OK);

        async Task<HttpStatusCode> StatusAsync(string credential)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions" + (isHeader ? "" : $"?{name}={credential}")) { Content = HttpPool.Chat("hi") };
            if (isHeader)
                request.Headers.TryAddWithoutValidation(name, credential).Should().BeTrue();
            using var response = await http.Client.SendAsync(request, Ct);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("Cookie", "Authorization")]
    [InlineData("Authorization", "Cookie")]
    [InlineData("api-key", "X-Tenant")]
    public async Task One_beside_a_refused_one_does_not_hide_it(string beside, string refused)
    {
        await using var http = new HttpPool(1, inner: new Ok(), configure: o => o.Http.CredentialNames = ["X-Tenant", "Cookie"]);
        await FluentActions.Awaiting(() => StatusAsync(Refused)).Should().ThrowAsync<EndpointPoolException>();
        (await StatusAsync("good")).Should().Be(HttpStatusCode.OK);

        async Task<HttpStatusCode> StatusAsync(string credential)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
            request.Headers.TryAddWithoutValidation(beside, "the-same").Should().BeTrue();
            request.Headers.TryAddWithoutValidation(refused, credential).Should().BeTrue();
            using var response = await http.Client.SendAsync(request, Ct);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("?a=1&key=x&b=%26", "?a=1&b=%26")]
    [InlineData("?key=x", "")]
    [InlineData("?a=1&&b", "?a=1&&b")]
    [InlineData("", "")]
    public void The_rest_of_a_query_is_kept_byte_for_byte(string query, string rest) => CredentialNames.Default.Without(query).Should().Be(rest);

    [Fact]
    public async Task Endpoints_that_no_credential_reaches_are_named_once_when_the_pool_gets_its_client()
    {
        var lines = new Lines();
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false }, Http = { AllowPlainHttp = true } };
        options.Endpoints.Add(new EndpointOptions { Name = "at-origin", Address = "https://a.example/v1" });
        options.Endpoints.Add(new EndpointOptions { Name = "without", Address = "https://b.example/v1" });
        options.Endpoints.Add(new EndpointOptions { Name = "own", Address = "https://c.example/v1", Credential = "k" });
        options.Endpoints.Add(new EndpointOptions { Name = "told", Address = "https://d.example/v1", ForwardCallerCredential = false });
        await using var pool = new EndpointPool("p", options, new EndpointPoolParts { LoggerFactory = lines });
        pool.CreateHttpClient().Dispose();
        pool.CreateHttpClient().Dispose();
        lines.All.Where(l => l.Contains("no credential", StringComparison.Ordinal)).Should().ContainSingle().Which.Should().Contain("'without'".Trim('\''));
    }

    [Theory]
    [InlineData("https://api.example/v1", "https://api.example/v2/chat")]
    [InlineData("https://api.example/v1", "https://api.example/v1beta/chat")]
    [InlineData("https://api.example/v1", "https://api.example/v1/../admin")]
    [InlineData("https://api.example/v1", "https://api.example/v1/%2e%2e/admin")]
    [InlineData("https://api.example/v1", "https://api.example/v1/..%2fadmin")]
    [InlineData("https://api.example/v1", "https://api.example/v1/..%5Cadmin")]
    [InlineData("https://api.example/v1", "https://api.example/")]
    [InlineData("https://api.example/v1", "https://api.example:444/v1/chat")]
    [InlineData("https://api.example/v1", "http://api.example/v1/chat")]
    [InlineData("https://api.example", "https://api.example/..%2f..%2fchat")]
    public void A_request_outside_the_origin_is_refused(string origin, string requested) =>
        FluentActions.Invoking(() => HttpTarget.ThrowIfForeign(new Uri(requested), new Uri(origin))).Should().Throw<InvalidOperationException>();

    [Fact]
    public void A_path_that_climbs_out_in_any_spelling_is_refused_although_the_runtime_keeps_it()
    {
        foreach (var dots in new[] { "..", ".%2e", "%2e.", "%2E%2e" })
        {
            foreach (var slash in new[] { "/", "%2f", "%5C" })
            {
                var kept = new Uri($"https://api.example/v1/{dots}{slash}admin", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
                FluentActions.Invoking(() => HttpTarget.ThrowIfForeign(kept, new Uri("https://api.example/v1"))).Should().Throw<InvalidOperationException>("{0}", kept);
            }
        }
    }

    [Theory]
    [InlineData("https://api.example/v1", "https://api.example/v1/chat")]
    [InlineData("https://api.example/v1/", "https://api.example/v1")]
    [InlineData("https://api.example", "https://api.example/any/thing..else")]
    [InlineData("https://api.example/v1", "https://api.example/v1/a%2Fb")]
    public void One_below_it_is_not(string origin, string requested) => HttpTarget.ThrowIfForeign(new Uri(requested), new Uri(origin));

    private static async Task<HttpRequestMessage> AskAsync(string name, bool isHeader, Action<EndpointOptions> endpoint, Action<EndpointPoolOptions>? configure = null)
    {
        await using var http = new HttpPool(1, inner: new Ok(), configure: o =>
        {
            o.Endpoints[0].Address = "https://own.example/v1";
            endpoint(o.Endpoints[0]);
            configure?.Invoke(o);
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions" + (isHeader ? "" : $"?{name}={Secret}")) { Content = HttpPool.Chat("hi") };
        if (isHeader)
            request.Headers.TryAddWithoutValidation(name, Secret).Should().BeTrue();
        using var response = await http.Client.SendAsync(request, Ct);
        return http.Sent.Single();
    }

    private static bool Shows(HttpRequestMessage sent, string secret) =>
        sent.RequestUri!.OriginalString.Contains(secret, StringComparison.Ordinal) || sent.Headers.NonValidated.Any(h => h.Value.ToString().Contains(secret, StringComparison.Ordinal));

    /// <summary>Answers well, unless the request has the refused credential.</summary>
    private sealed class Ok : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(Shows(request, Refused)
            ? Answer(HttpStatusCode.Unauthorized, """{"error":{"message":"wrong key","code":"invalid_api_key"}}""")
            : Answer(HttpStatusCode.OK, """{"choices":[{"message":{"content":"hi"}}]}"""));

        private static HttpResponseMessage Answer(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
    }
}
