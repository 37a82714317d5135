using System.Text;
using FsCheck;
using FsCheck.Fluent;
using HaKit.Http;

namespace HaKit.Tests.Http;

/// <summary>Tests the replacement of the model's name in bodies that arrive in parts, for every way to cut them.</summary>
public sealed class ModelRewritingTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("embeddings", "small", "large", true)]
    [InlineData("embeddings", "small", null, true)]
    [InlineData("embeddings", "small", "small", false)]
    [InlineData("embeddings", null, null, false)]
    [InlineData("chat/completions", "small", "large", false)]
    public async Task A_request_for_embeddings_at_endpoints_with_different_models_is_warned_of_once(string path, string? first, string? second, bool warns)
    {
        var lines = new Lines();
        await using var http = new HttpPool(2, o => (o.Endpoints[0].Model, o.Endpoints[1].Model) = (first, second), p => p.LoggerFactory = lines);
        for (var i = 0; i < 3; i++)
        {
            using var response = await http.SendAsync(new StringContent("""{"model":"m","input":"hi"}""", System.Text.Encoding.UTF8, "application/json"), path);
        }
        var warnings = lines.All.Where(l => l.Contains("Such vectors cannot be compared", StringComparison.Ordinal)).ToArray();
        warnings.Should().HaveCount(warns ? 1 : 0);
        if (warns)
            warnings[0].Should().Contain($"small at 'a', {second ?? "the caller's model"} at 'b'");
    }

    private const string Form = "multipart/form-data; boundary=\"b-1\"";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Bodies() => new()
    {
        { "application/json", """{"model":"gpt-4o","messages":[{"content":"the \"model\":\"x\" {"}]}""", """{"model":"own","messages":[{"content":"the \"model\":\"x\" {"}]}""" },
        { "application/json", """{ "messages" : [ {"model":"inner"} ] , "model" : "a\"b\\" , "é":1.50 }""", """{ "messages" : [ {"model":"inner"} ] , "model" : "own" , "é":1.50 }""" },
        { "application/vnd.x+json; charset=utf-8", "{\"model\"\n:\t\"x\"}", "{\"model\"\n:\t\"own\"}" },
        { "application/json", """{"input":"model","models":"x","mode":"l","tools":{"model":"x"}}""", """{"input":"model","models":"x","mode":"l","tools":{"model":"x"}}""" },
        { "application/json", """{"x":"model","model":null}""", """{"x":"model","model":null}""" },
        { "application/json", """["model","x"]""", """["model","x"]""" },
        { Form, Parts(("file\"; filename=\"model", "\r\n--b-\r\r\n--model"), ("model", "whisper-1"), ("n", "1")), Parts(("file\"; filename=\"model", "\r\n--b-\r\r\n--model"), ("model", "own"), ("n", "1")) },
        { Form, Parts(("model", ""), ("file", "x")), Parts(("model", "own"), ("file", "x")) },
        { Form, Parts(("model", "last\r\nline")), Parts(("model", "own")) },
        { Form, Parts(("models", "a"), ("xmodel", "b")), Parts(("models", "a"), ("xmodel", "b")) },
        { "multipart/form-data; boundary=b-1", Parts(("model", "m")).Replace("\"model\"", "model", StringComparison.Ordinal), Parts(("model", "own")).Replace("\"model\"", "model", StringComparison.Ordinal) },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Failure_24_the_name_is_replaced_and_everything_else_kept_however_the_body_is_cut(string type, string body, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var model = new ModelName("own");
        for (var length = 1; length <= bytes.Length; length++)
        {
            var written = new MemoryStream();
            var stream = new RewritingStream(written, ModelFinder.For(type)!, ModelFinder.IsForm(type) ? model.Plain : model.Json);
            for (var at = 0; at < bytes.Length; at += length)
                await stream.WriteAsync(bytes.AsMemory(at, Math.Min(length, bytes.Length - at)), Ct);
            Encoding.UTF8.GetString(written.ToArray()).Should().Be(expected);
        }
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Failure_24_kept_or_going_by_a_body_is_rewritten_alike(string type, string body, string expected)
    {
        foreach (var kept in (bool[])[true, false])
        {
            await using var http = new HttpPool(2, o =>
            {
                o.Endpoints[0].Model = o.Endpoints[1].Model = "own";
                if (!kept)
                    o.Http.MaxReplayBytes = 0;
            }, inner: new Echo { Failures = 1 });
            var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            using var response = await http.SendAsync(content);
            (await response.Content.ReadAsStringAsync(Ct)).Should().Be(expected);
            http.Sent.Should().HaveCount(2);
            http.Sent[1].Content!.Headers.ContentLength.Should().Be(kept ? Encoding.UTF8.GetByteCount(expected) : null);
        }
    }

    [Theory]
    [InlineData("--b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt")]
    [InlineData("--b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n")]
    [InlineData("--b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na longer name of a model\r\n--b-")]
    public async Task A_form_that_ends_inside_the_models_name_is_sent_unchanged(string body)
    {
        await using var http = new HttpPool(1, o => o.Endpoints[0].Model = "own", inner: new Echo());
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", Form);
        using var response = await http.SendAsync(content);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(body);
    }

    [Fact]
    public void Any_JSON_comes_out_as_it_went_in_but_for_the_models_name()
    {
        var text = Gen.Elements("model", "\"", "\\\"", "\\\\", "{", "}", "[", "]", ":", ",", " ", "a", "1", "\"model\"", "\"model\":\"x\"").ListOf().Select(string.Concat);
        Prop.ForAll(text.ToArbitrary(), Gen.Choose(1, 9).ToArbitrary(), (inner, length) =>
        {
            var quoted = System.Text.Json.JsonSerializer.Serialize(inner);
            var body = $$"""{"a":{{quoted}},"b":[{{quoted}},{"model":{{quoted}}}],"model":{{quoted}},"c":{{quoted}}}""";
            var bytes = Encoding.UTF8.GetBytes(body);
            var written = new MemoryStream();
            var stream = new RewritingStream(written, new JsonModelFinder(), "7"u8.ToArray());
            for (var at = 0; at < bytes.Length; at += length)
                stream.WriteAsync(bytes.AsMemory(at, Math.Min(length, bytes.Length - at)), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return Encoding.UTF8.GetString(written.ToArray()) == $$"""{"a":{{quoted}},"b":[{{quoted}},{"model":{{quoted}}}],"model":7,"c":{{quoted}}}""";
        }).QuickCheckThrowOnFailure();
    }

    private static string Parts(params (string Name, string Value)[] parts) =>
        string.Concat(parts.Select(p => $"--b-1\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=\"{p.Name}\"\r\n\r\n{p.Value}\r\n")) + "--b-1--\r\n";
}
