using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using HaKit.Dialects;
using HaKit.Http;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Tests, over real sockets, that requests for a stored object go to the endpoint that stores it.</summary>
public sealed class StoredStateTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly PoolEndpoint s_endpoint = new(new EndpointOptions { Name = "a", Address = "http://a.example" });

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_conversation_stays_with_the_endpoint_that_has_it(bool stream)
    {
        await using var world = new World(3);
        for (var i = 0; i < 100; i++)
        {
            var id = await world.AskAsync(null, stream);
            for (var round = 0; round < 5; round++)
                id = await world.AskAsync(id, stream);
        }
        world.Servers.Sum(s => s.Refused).Should().Be(0);
        world.Servers.Should().OnlyContain(s => s.Asked > 0, "what begins a conversation may go anywhere");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("GET", "responses/{id}")]
    [InlineData("GET", "responses/{id}/input_items?limit=3")]
    [InlineData("DELETE", "responses/{id}")]
    [InlineData("POST", "responses/{id}/cancel")]
    public async Task Requests_for_the_object_itself_go_to_its_maker(string method, string path)
    {
        await using var world = new World(3);
        var id = await world.AskAsync(null, stream: false);
        var maker = id.Split('_')[1];
        for (var i = 0; i < 6; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("{id}", id, StringComparison.Ordinal));
            if (method == "POST")
                request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
            using var response = await world.Client.SendAsync(request, Ct);
            request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
            detail!.Endpoint.Should().Be(maker);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_the_maker_gone_in_the_middle_the_call_ends_with_the_typed_exception_and_where_stores_are_shared_it_is_served(bool stream)
    {
        foreach (var isShared in new[] { false, true })
        {
            await using var world = new World(3, isShared);
            var first = await world.AskAsync(null, stream);
            var id = await world.AskAsync(first, stream);
            var maker = id.Split('_')[1];
            world.Servers.Single(s => s.Name == maker).Dispose();
            if (isShared)
            {
                for (var round = 0; round < 3; round++)
                    id = await world.AskAsync(id, stream);
                id.Split('_')[1].Should().NotBe(maker);
            }
            else
            {
                (await world.Awaiting(w => w.AskAsync(id, stream)).Should().ThrowAsync<StateNotPortableException>()).Which.Endpoint.Should().Be(maker);
            }
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_a_stored_object_is_and_why_can_be_asked(bool isShared)
    {
        await using var world = new World(3, isShared);
        var id = await world.AskAsync(null, stream: false);
        var maker = id.Split('_')[1];
        world.Explain(id).Should().StartWith($"The object was made by endpoint '{maker}'").And.Contain(isShared ? "which have the same account and region" : "no other endpoint shares its account").And.NotContain(id);
        world.Explain("resp_other").Should().Contain("is not known");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_object_of_unknown_origin_is_asked_for_at_the_first_endpoint_and_once_more()
    {
        await using var world = new World(3);
        string second;
        using (var direct = new HttpClient { BaseAddress = new Uri(world.Servers[1].Server.Address.AbsoluteUri + "/") })
            second = await World.AskAsync(direct, null, stream: false);
        var id = await world.AskAsync(second, stream: false);
        id.Should().StartWith("resp_e1_");
        world.Servers[0].Refused.Should().Be(1);
        await world.AskAsync(second, stream: false);
        world.Servers[0].Refused.Should().Be(1, "where it is is known from then on");
        using var foreign = await world.Client.PostAsync("responses", Body("resp_nowhere_1", stream: false), Ct);
        foreign.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await foreign.Content.ReadAsStringAsync(Ct)).Should().Contain("previous_response_not_found");
        world.Servers[2].Refused.Should().Be(0, "one other endpoint is asked, and not all of them");
    }

    [Fact(Timeout = 60_000)]
    public async Task Both_tries_for_an_object_of_unknown_origin_have_one_deadline_together()
    {
        var handler = new NotFoundThenSilent();
        await using var http = new HttpPool(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10), inner: handler);
        handler.Time = http.Time;
        var call = http.SendAsync(Body("resp_unknown", stream: false), "responses");
        http.Time.Advance(TimeSpan.FromSeconds(8));
        call.IsCompleted.Should().BeFalse();
        http.Sent.Should().HaveCount(2);
        http.Time.Advance(TimeSpan.FromSeconds(1));
        call.IsCompleted.Should().BeFalse();
        http.Time.Advance(TimeSpan.FromSeconds(1.5));
        call.IsCompleted.Should().BeTrue();
        await call.Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>();
    }

    /// <summary>The first server does not have the object, and says so after 8 s. The second server never answers.</summary>
    private sealed class NotFoundThenSilent : HttpMessageHandler
    {
        public TimeProvider Time { get; set; } = TimeProvider.System;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.RequestUri!.Port != 9000)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(8), Time, cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.NotFound)
            {
                Content = new StringContent("""{"error":{"message":"Previous response with id 'x' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}""", Encoding.UTF8, "application/json"),
            };
        }
    }

    [Theory]
    [InlineData("""{"previous_response_id":"resp_1"}""", "resp_1")]
    [InlineData("""{"conversation":"conv_1"}""", "conv_1")]
    [InlineData("""{"conversation":{"id":"conv_1"}}""", "conv_1")]
    [InlineData("""{"input":[{"role":"user","content":[{"type":"input_file","file_id":"file-1"}]}]}""", "file-1")]
    [InlineData("""{"tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["file-1","file-2"]}}]}""", "file-1 file-2")]
    [InlineData("""{"tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]}""", "vs_1")]
    [InlineData("""{"contents":[],"cachedContent":"cachedContents/abc1"}""", "cachedContents/abc1")]
    [InlineData("""{"contents":[{"parts":[{"fileData":{"fileUri":"https://g.example/v1beta/files/abc1"}}]}]}""", "https://g.example/v1beta/files/abc1")]
    [InlineData("""{"contents":[{"parts":[{"fileData":{"fileUri":"https://video.example/watch"}}]}]}""", "")]
    [InlineData("""{"input":"\"previous_response_id\":\"resp_1\"","tools":[{"parameters":{"properties":{"conversation":{"type":"string","id":7}}}}]}""", "")]
    [InlineData("""{"previous_response_id":null,"conversation":""}""", "")]
    public void The_objects_that_a_body_names_are_found(string json, string ids) =>
        string.Join(' ', StoredNames.InBody(Encoding.UTF8.GetBytes(json)).Select(n => n.Id)).Should().Be(ids);

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"file-1"}}]}]}""", "file-1")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"document","source":{"file_id":"file-1"}}]}]}]}""", "file-1")]
    [InlineData("""{"input":[{"type":"function_call_output","output":[{"type":"input_file","file_id":"file-1"}]}]}""", "file-1")]
    [InlineData("""{"input":[{"type":"code_interpreter_call","container_id":"cntr_1"}]}""", "cntr_1")]
    [InlineData("""{"container":{"id":"container_1","skills":[{"skill_id":"pptx"}]}}""", "container_1")]
    [InlineData("""{"assistant_id":"asst_1","tool_resources":{"file_search":{"vector_store_ids":["vs_1"]},"code_interpreter":{"file_ids":["file-1"]}}}""", "asst_1 vs_1 file-1")]
    [InlineData("""{"thread":{"messages":[{"content":"x","attachments":[{"file_id":"file-1"}]}]}}""", "file-1")]
    [InlineData("""{"prompt":{"id":"pmpt_1","variables":{"image":{"type":"input_image","file_id":"file-1"}}}}""", "file-1")]
    [InlineData("""{"extra_body":{"google":{"cached_content":"cachedContents/abc1"}}}""", "cachedContents/abc1")]
    [InlineData("""{"generateContentRequest":{"cachedContent":"cachedContents/abc1"}}""", "cachedContents/abc1")]
    [InlineData("""{"requests":[{"params":{"container":"container_1"}},{"params":{"container":"container_2"}}]}""", "container_1 container_2")]
    [InlineData("""{"metadata":{"file_id":"none-1"},"previous_response_id":"resp_1"}""", "resp_1")]
    [InlineData("""{"messages":[{"metadata":{"file_id":"none-1"},"content":[{"file_id":"file-1"}]}],"thread_id":"thread_1"}""", "file-1 thread_1")]
    [InlineData("""{"tools":[{"function":{"parameters":{"file_id":"none-1"}}},{"type":"code_interpreter","container":"container_1"}]}""", "container_1")]
    [InlineData("""{"metadata":{"file_id":"none-1""", "")]
    public void Objects_beside_the_application_s_own_data_are_found(string json, string ids) => The_objects_that_a_body_names_are_found(json, ids);

    /// <summary>Places in a body that contain the application's own data. The data replaces <c>DATA</c>.</summary>
    private static readonly string[] s_ofApplication =
    [
        """{"model":"m","messages":[{"role":"user","content":"hi"}],"metadata":DATA}""", """{"model":"m","messages":[{"role":"user","content":"hi","metadata":DATA}]}""",
        """{"extra_body":{"metadata":DATA}}""", """{"litellm_metadata":DATA,"messages":[]}""", """{"context":DATA,"messages":[]}""", """{"user_data":[DATA],"input":"hi"}""", """{"input":"hi","text":{"format":{"schema":{"default":DATA}}}}""",
        """{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"read","input":DATA}]}]}""",
        """{"messages":[{"role":"assistant","content":[{"input":DATA,"name":"read","id":"t1","type":"tool_use"}]}]}""",
        """{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","input":{"filter":[DATA]}}]}]}""",
        """{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"read","arguments":DATA}}]}]}""",
        """{"messages":[{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","input":DATA}}]}]}""", """{"messages":[{"role":"user","content":[{"toolResult":{"content":[{"json":DATA}]}}]}]}""",
        """{"contents":[{"parts":[{"functionCall":{"name":"read","args":DATA}}]}]}""", """{"contents":[{"parts":[{"functionResponse":{"name":"read","response":DATA}}]}]}""",
        """{"tools":[{"function":{"parameters":{"type":"object","example":DATA}}}]}""", """{"tools":[{"input_schema":{"properties":{"x":{"default":DATA}}}}]}""", """{"tools":[{"input_schema":{"examples":[DATA]}}]}""",
        """{"tools":[{"functionDeclarations":[{"name":"read","parametersJsonSchema":DATA}]}]}""", """{"tools":[{"toolSpec":{"inputSchema":{"json":DATA}}}]}""",
        """{"response_format":{"type":"json_schema","json_schema":{"schema":{"default":DATA}}}}""", """{"generationConfig":{"responseSchema":{"example":DATA}}}""",
    ];

    [Fact]
    public void Ids_in_the_application_s_own_data_are_no_stored_objects()
    {
        string[] members =
        [
            "previous_response_id", "conversation", "conversation_id", "thread_id", "file_id", "file_ids", "input_file_id", "fileUri", "file_uri", "vector_store_ids", "assistant_id", "container", "container_id", "batch_id",
            "cachedContent", "cached_content",
        ];
        foreach (var member in members)
        {
            foreach (var value in (string[])["\"object_1\"", "[\"object_1\"]", "{\"id\":\"object_1\"}", "{\"deep\":{\"" + member + "\":\"object_1\"}}"])
            {
                foreach (var place in s_ofApplication)
                {
                    var json = place.Replace("DATA", $"{{\"{member}\":{value}}}", StringComparison.Ordinal);
                    StoredNames.InBody(Encoding.UTF8.GetBytes(json)).Should().BeEmpty(json);
                }
            }
        }
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"hi"}],"model":"m","metadata":{"conversation_id":"object_1"}}""")]
    [InlineData("""{"messages":[{"role":"user","content":"hi","thread_id":"object_1"}],"model":"m"}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"read","input":{"file_id":"object_1"}}]}],"model":"m"}""")]
    public async Task A_request_with_ids_of_the_application_is_served_while_the_first_endpoint_is_down(string json)
    {
        await using var http = new HttpPool(2, options => options.Endpoints[1].Tier = 1);
        async Task<string> AskAsync() => await http.ReadAsync(new StringContent(json, Encoding.UTF8, "application/json"));
        (await AskAsync()).Should().Contain("choices");
        http.Fakes[0].Faults.Always(FakeFault.Refused);
        (await AskAsync()).Should().Contain("choices");
        http.Sent[^1].RequestUri!.Port.Should().Be(9001);
    }

    [Theory]
    [InlineData("""{"previous_response_id":"object_1"}""")]
    [InlineData("""{"conversation":{"id":"object_1"}}""")]
    [InlineData("""{"tools":[{"type":"code_interpreter","container":"object_1"}]}""")]
    [InlineData("""{"tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["object_1"]}}]}""")]
    [InlineData("""{"tools":[{"type":"file_search","vector_store_ids":["object_1"]}]}""")]
    [InlineData("""{"tools":[{"type":"file_search","vector_store_ids": [ "object_1" ]}]}""")]
    public async Task A_request_goes_to_the_maker_of_each_object_that_its_body_names(string json)
    {
        await using var http = new HttpPool(3);
        HttpPoolState.Get(http.Pool).Ids.Remember("object_1", http.Pool.Endpoints[1]);
        for (var i = 0; i < 6; i++)
            (await http.SendAsync(new StringContent(json, Encoding.UTF8, "application/json"), "responses")).Dispose();
        http.Sent.Select(r => r.RequestUri!.Port).Should().HaveCount(6).And.OnlyContain(port => port == 9001);
    }

    [Theory]
    [InlineData("output_file_id")]
    [InlineData("error_file_id")]
    [InlineData("responsesFile")]
    public async Task The_result_of_a_batch_job_is_read_from_the_endpoint_of_the_job(string member)
    {
        await using var http = new HttpPool(3, inner: new FinishedJob(member));
        HttpPoolState.Get(http.Pool).Ids.Remember("batch_1", http.Pool.Endpoints[2]);
        (await http.SendAsync(null, "batches/batch_1")).Dispose();
        (await http.SendAsync(null, "files/file-result/content")).Dispose();
        http.Sent.Select(r => r.RequestUri!.Port).Should().Equal([9002, 9002], "the provider has made the file, so no answer to a POST names it");
    }

    private sealed class FinishedJob(string member) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(new HttpResponseMessage
        {
            Content = new StringContent($$"""{"id":"batch_1","object":"batch","status":"completed","{{member}}":"file-result"}""", Encoding.UTF8, "application/json"),
        });
    }

    [Theory]
    [InlineData("/batches/batch_1", true)]
    [InlineData("/v1/batches/batch_1/", true)]
    [InlineData("/batches", false)]
    [InlineData("/batches/batch_1/cancel", false)]
    [InlineData("/files/file-1/content", false)]
    [InlineData("/responses/resp_1", true)]
    [InlineData("/models/gpt-5", false)]
    [InlineData("/batches/", false)]
    [InlineData("/", false)]
    [InlineData("", false)]
    public void The_path_of_one_object_is_found(string path, bool isOne) => StoredNames.IsOneObjectAt(path).Should().Be(isOne);

    [Theory]
    [InlineData("/responses/resp_1", "resp_1")]
    [InlineData("/files/file-1/content", "file-1")]
    [InlineData("/threads/thread_1/runs/run_1", "thread_1")]
    [InlineData("/messages/batches/msgbatch_1/results", "msgbatch_1")]
    [InlineData("/v1beta/files/abc1:download", "abc1")]
    [InlineData("/chat/completions/chatcmpl-1", "chatcmpl-1")]
    [InlineData("/chat/completions/chatcmpl-1/messages", "chatcmpl-1")]
    [InlineData("/responses", "")]
    [InlineData("/chat/completions", "")]
    public void The_object_that_a_path_is_about_is_found(string path, string id) => (StoredNames.InPath(path)?.Id ?? "").Should().Be(id);

    [Theory(Timeout = 30_000)]
    [InlineData("POST", "uploads/upload_1/complete", """{"id":"upload_1","object":"upload","status":"completed","file":{"id":"object_1","object":"file"}}""")]
    [InlineData("POST", "videos/video_1/remix", """{"id":"object_1","object":"video"}""")]
    [InlineData("POST", "threads/thread_1/runs/run_1/submit_tool_outputs", """{"id":"run_1","assistant_id":"object_1"}""")]
    [InlineData("GET", "batches/batch_1", """{"id":"batch_1","object":"batch","output_file_id":"object_1"}""")]
    [InlineData("GET", "batches/batch_1", """{"id":"batch_1","object":"batch","error_file_id":"object_1"}""")]
    [InlineData("GET", "responses/resp_1", """{"id":"resp_1","output":[{"type":"code_interpreter_call","container_id":"object_1"}]}""")]
    public async Task An_object_that_an_action_on_another_object_reports_belongs_to_the_endpoint_that_answered(string method, string path, string answer)
    {
        await using var http = new HttpPool(3, inner: new Answers(answer));
        using (var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("{}", Encoding.UTF8, "application/json") : null })
            (await http.Client.SendAsync(request, Ct)).Dispose();
        var maker = http.Sent[0].RequestUri!.Port;
        for (var i = 0; i < 6; i++)
            (await http.SendAsync(null, "files/object_1/content")).Dispose();
        http.Sent.Should().HaveCount(7).And.OnlyContain(r => r.RequestUri!.Port == maker);
        http.Pool.ExplainStoredObject("object_1").Should().StartWith("The object was made by endpoint");
    }

    [Fact(Timeout = 30_000)]
    public async Task Ids_in_the_content_of_a_file_are_no_stored_objects()
    {
        await using var http = new HttpPool(3, inner: new Answers("""{"id":"object_1"}"""));
        (await http.SendAsync(null, "files/file-1/content")).Dispose();
        http.Pool.ExplainStoredObject("object_1").Should().Contain("is not known");
    }

    /// <summary>Another server or another account that gets the name of an endpoint does not have the objects of the endpoint.</summary>
    [Theory(Timeout = 30_000)]
    [InlineData("address", false)]
    [InlineData("account", false)]
    [InlineData("region", false)]
    [InlineData("path", true)]
    [InlineData("key", true)]
    [InlineData("weight", true)]
    public async Task An_object_is_not_asked_for_at_another_server_that_a_reload_gave_the_name_of_its_maker(string what, bool isSame)
    {
        EndpointPoolOptions options = null!;
        await using var http = new HttpPool(3, o => options = o, inner: new Answers("""{"id":"resp_1","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x"}]}]}"""));
        (await http.SendAsync(Body(null, stream: false), "responses")).Dispose();
        var maker = http.Sent[0].RequestUri!.Port;
        var endpoint = options.Endpoints[maker - 9000];
        _ = what switch
        {
            "address" => endpoint.Address = "http://127.0.0.1:9999/v1",
            "account" => endpoint.Account = "another",
            "region" => endpoint.Region = "another",
            "path" => endpoint.Address = $"http://127.0.0.1:{maker}/v2",
            "key" => endpoint.Credential = "another-credential",
            _ => (endpoint.Weight = 2).ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        http.Pool.Update(options);
        var call = () => http.SendAsync(Body("resp_1", stream: false), "responses");
        if (isSame)
            (await call()).Dispose();
        else
            (await call.Should().ThrowAsync<StateNotPortableException>()).Which.Endpoint.Should().Be(endpoint.Name);
        http.Sent.Skip(1).Select(r => r.RequestUri!.Port).Should().Equal(isSame ? [maker] : []);
    }

    [Fact(Timeout = 30_000)]
    public async Task An_object_of_an_endpoint_that_was_removed_is_asked_for_at_the_endpoints_that_share_its_store()
    {
        await using var http = new HttpPool(3, o => (o.Endpoints[0].Account, o.Endpoints[1].Account, o.Endpoints[2].Account) = ("one", "one", "other"), inner: new Answers("""{"id":"resp_1","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x"}]}]}"""));
        (await http.SendAsync(Body(null, stream: false), "responses")).Dispose();
        http.Sent[0].RequestUri!.Port.Should().Be(9000);
        http.Pool.RemoveEndpoint("a");
        for (var i = 0; i < 4; i++)
            (await http.SendAsync(Body("resp_1", stream: false), "responses")).Dispose();
        http.Sent.Skip(1).Should().HaveCount(4).And.OnlyContain(r => r.RequestUri!.Port == 9001);
    }

    private sealed class Answers(string answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(answer, Encoding.UTF8, "application/json") });
    }

    [Fact]
    public void What_is_known_is_bounded_in_number_and_in_time()
    {
        var time = new ManualTimeProvider();
        var ids = new StoredIds(time, capacity: 10);
        for (var i = 0; i < 100; i++)
            ids.Remember($"id{i}", s_endpoint);
        Enumerable.Range(0, 100).Count(i => ids.MakerOf($"id{i}") is not null).Should().BeInRange(10, 20);
        ids.MakerOf("files/id99").Should().BeSameAs(s_endpoint);
        time.Advance(TimeSpan.FromHours(25));
        ids.MakerOf("id99").Should().BeNull();
    }

    private static StringContent Body(string? previous, bool stream)
    {
        var body = new JsonObject { ["model"] = "m", ["input"] = "hi", ["stream"] = stream };
        if (previous is not null)
            body["previous_response_id"] = previous;
        return new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly EndpointPool _pool;

        public World(int servers, bool isShared = false)
        {
            var store = isShared ? new ConcurrentDictionary<string, int>() : null;
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(5) }, Selection = { Preset = global::HaKit.Selection.SelectionPreset.RoundRobin } };
            for (var i = 0; i < servers; i++)
            {
                var server = new ResponsesServer($"e{i}", 0, store);
                Servers.Add(new($"e{i}", server));
                options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = server.Address.AbsoluteUri, Account = isShared ? "one" : $"account {i}" });
            }
            _pool = new EndpointPool("p", options);
            Client = _pool.CreateHttpClient();
        }

        public List<Named> Servers { get; } = [];

        public HttpClient Client { get; }

        public string Explain(string id) => _pool.ExplainStoredObject(id);

        public Task<string> AskAsync(string? previous, bool stream) => AskAsync(Client, previous, stream);

        public static async Task<string> AskAsync(HttpClient client, string? previous, bool stream)
        {
            using var response = await client.PostAsync("responses", Body(previous, stream), Ct);
            var text = await response.Content.ReadAsStringAsync(Ct);
            response.StatusCode.Should().Be(HttpStatusCode.OK, text);
            return text[(text.IndexOf("resp_", StringComparison.Ordinal))..].Split('"')[0];
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            foreach (var server in Servers)
                server.Dispose();
            await _pool.DisposeAsync();
        }
    }

    private sealed record Named(string Name, ResponsesServer Server) : IDisposable
    {
        public int Asked => Server.Asked;

        public int Refused => Server.Refused;

        public void Dispose() => Server.Dispose();
    }
}
