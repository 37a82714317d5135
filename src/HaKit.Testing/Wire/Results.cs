using System.Globalization;
using System.Runtime.InteropServices;

namespace HaKit.Testing.Wire;

/// <summary>The bodies of successful answers that are not chats.</summary>
internal static class Results
{
    public static byte[] WriteResult(FakeRequest request, Backend backend) => request.Operation switch
    {
        FakeOperation.Embeddings => Embeddings(request, backend.Options),
        FakeOperation.Files => File(request.File!, backend.Options.Time),
        FakeOperation.Images => Image(request, backend.Options.Time),
        FakeOperation.Models => Dialect.ForRequest(request).Models(backend.Options.Models.Count > 0 ? backend.Options.Models : ["fake-model"], backend.Options.Time.GetUtcNow()),
        FakeOperation.Metrics => ChatReply.Utf8(Metrics(backend)),
        _ => """{"status":"ok"}"""u8.ToArray(),
    };

    private static byte[] Embeddings(FakeRequest request, FakeAiOptions options) => ChatReply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        for (var i = 0; i < request.Inputs.Count; i++)
        {
            var vector = FakeAnswers.EmbeddingOf(request.Inputs[i], request.Model, request.Dimensions ?? options.EmbeddingDimensions);
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", i);
            json.WritePropertyName("embedding");
            if (request.Base64)
            {
                json.WriteBase64StringValue(MemoryMarshal.AsBytes(vector.AsSpan()));
            }
            else
            {
                json.WriteStartArray();
                foreach (var value in vector)
                    json.WriteNumberValue(value);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model", request.Model);
        json.WritePropertyName("usage");
        json.WriteRawValue($$"""{"prompt_tokens":{{request.PromptTokens}},"total_tokens":{{request.PromptTokens}}}""");
        json.WriteEndObject();
    });

    private static byte[] File(FakeFile file, TimeProvider time) => ChatReply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("id", FakeAnswers.FileIdOf(file.Content.Span));
        json.WriteString("object", "file");
        json.WriteNumber("bytes", file.Content.Length);
        json.WriteNumber("created_at", time.GetUtcNow().ToUnixTimeSeconds());
        json.WriteString("filename", file.Name);
        json.WriteString("purpose", file.Purpose);
        json.WriteString("status", "processed");
        json.WriteEndObject();
    });

    // The image is the text of the answer, so that a test can check it.
    private static byte[] Image(FakeRequest request, TimeProvider time) => ChatReply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("created", time.GetUtcNow().ToUnixTimeSeconds());
        json.WriteStartArray("data");
        json.WriteStartObject();
        json.WriteBase64String("b64_json", ChatReply.Utf8(FakeAnswers.AnswerTo(request.Prompt)));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static string Metrics(Backend backend)
    {
        var counts = backend.Tally.Snapshot();
        return string.Create(CultureInfo.InvariantCulture, $$"""
            # HELP vllm:num_requests_running Number of requests in model execution batches.
            # TYPE vllm:num_requests_running gauge
            vllm:num_requests_running{engine="0",model_name="fake-model"} {{counts.InFlight:0.0}}
            # HELP vllm:num_requests_waiting Number of requests waiting to be processed.
            # TYPE vllm:num_requests_waiting gauge
            vllm:num_requests_waiting{engine="0",model_name="fake-model"} {{backend.Load.Waiting:0.0}}
            # HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
            # TYPE vllm:kv_cache_usage_perc gauge
            vllm:kv_cache_usage_perc{engine="0",model_name="fake-model"} {{backend.Load.CacheUsage:0.0###}}
            # HELP vllm:prompt_tokens_total Number of prefill tokens processed.
            # TYPE vllm:prompt_tokens_total counter
            vllm:prompt_tokens_total{engine="0",model_name="fake-model"} {{counts.PromptTokens:0.0}}
            # HELP vllm:generation_tokens_total Number of generation tokens processed.
            # TYPE vllm:generation_tokens_total counter
            vllm:generation_tokens_total{engine="0",model_name="fake-model"} {{counts.CompletionTokens:0.0}}

            """).ReplaceLineEndings("\n");
    }
}
