using System.IO.Compression;
using System.Text;
using HaKit.Testing;
using static HaKit.Tests.Http.WireSiblings;
using static HaKit.Tests.Http.StreamChecks;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests the rarer answers of each provider's interface over real sockets, one row for each: thoughts, calls of tools, refusals, audio, several choices, reports
/// of filters, compressed and wrongly measured bodies. The endpoint with the answer is in tier 0, and a healthy endpoint is in tier 1.
/// </summary>
public sealed class ProviderStreamsTests
{
    private const string Chat = "/chat/completions";
    private const string Messages = "/messages";
    private const string Responses = "/responses";
    private const string Gemini = "/v1beta/models/g:streamGenerateContent?alt=sse";
    private const string DashScope = "/api/v1/services/aigc/text-generation/generation";
    private const string Converse = "/model/m/converse";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly string HalfMessage = Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"half "}}""");
    private static readonly string EndMessage = Event("message_delta", """{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}""") + Event("message_stop", """{"type":"message_stop"}""");
    private static readonly string HalfResponse = Event("response.output_text.delta", """{"type":"response.output_text.delta","sequence_number":4,"item_id":"i","output_index":0,"content_index":0,"delta":"half "}""");
    private static readonly string HalfCandidate = Data("""{"candidates":[{"content":{"role":"model","parts":[{"text":"half "}]},"index":0}]}""");
    private static readonly string FullChat = Role + HalfText + Finish("stop") + Done;

    /// <summary>Streams that are whole.</summary>
    public static TheoryData<string, string, string?, string> Whole => new()
    {
        { "Azure, filters", Chat, "text/event-stream", Data("""{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"jailbreak":{"filtered":false,"detected":false}}}]}""") + FullChat },
        { "Azure, asynchronous filter", Chat, "text/event-stream", HalfText + Finish("stop") + Data("""{"id":"","object":"","created":0,"model":"","choices":[{"index":0,"finish_reason":null,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"content_filter_offsets":{"check_offset":44,"start_offset":44,"end_offset":198}}]}""") + Done },
        { "Azure, filtered late", Chat, "text/event-stream", HalfText + Data("""{"id":"","object":"","created":0,"model":"","choices":[{"content_filter_offsets":{"check_offset":1,"start_offset":1,"end_offset":9},"content_filter_results":{"violence":{"filtered":true,"severity":"high"}},"finish_reason":"content_filter","index":0}]}""") + Done },
        { "Azure, a filter that failed", Chat, "text/event-stream", Data("""{"choices":[{"index":0,"delta":{"content":"half "},"finish_reason":null,"content_filter_results":{"error":{"code":"content_filter_error","message":"The contents are not filtered"}}}]}""") + Finish("stop") + Done },
        { "OpenAI, a refusal", Chat, "text/event-stream", Role + Data("""{"id":"c","choices":[{"index":0,"delta":{"refusal":"I cannot"},"logprobs":null,"finish_reason":null}]}""") + Finish("stop") + Done },
        { "OpenAI, a call", Chat, "text/event-stream", Data("""{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"report","arguments":""}}]},"finish_reason":null}]}""") + Data("""{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"error\":{\"code\":500,\"message\":\"x\"}}"}}]},"finish_reason":null}]}""") + Finish("tool_calls") + Done },
        { "OpenAI, two calls", Chat, "text/event-stream", Data("""{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]},"finish_reason":null}]}""") + Finish("tool_calls") },
        { "OpenAI, probabilities", Chat, "text/event-stream", Role + Data("""{"id":"c","choices":[{"index":0,"delta":{"content":""},"logprobs":{"content":[{"token":"","logprob":-0.1,"bytes":[],"top_logprobs":[]}],"refusal":null},"finish_reason":null}]}""") + Finish("stop") + Done },
        { "OpenAI, nothing to say", Chat, "text/event-stream", Role + Finish("stop") + Data("""{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":0,"total_tokens":3}}""") + Done },
        { "OpenAI, audio", Chat, "text/event-stream", Data("""{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","audio":{"id":"audio_1","data":"AAAA"}},"finish_reason":null}]}""") + Finish("stop") + Done },
        { "OpenAI, JSON", Chat, "text/event-stream", Data("""{"id":"c","choices":[{"index":0,"delta":{"content":"{\"error\":{\"code\":500,\"message\":\"overloaded\"},\"finish_reason\":\"error\"}"},"finish_reason":null}],"obfuscation":"a1"}""") + Finish("stop") + Done },
        { "OpenAI, two choices", Chat, "text/event-stream", HalfText + Finish("stop") + Data("""{"id":"c","choices":[{"index":1,"delta":{"content":"other"},"finish_reason":null}]}""") + Data("""{"id":"c","choices":[{"index":1,"delta":{},"finish_reason":"length"}]}""") + Done },
        { "OpenAI, text", "/completions", "text/event-stream", Data("""{"id":"c","object":"text_completion","choices":[{"text":"half ","index":0,"logprobs":null,"finish_reason":null}]}""") + Data("""{"id":"c","object":"text_completion","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"length"}]}""") + Done },
        { "DeepSeek, thoughts only", Chat, "text/event-stream", ": keep-alive\n\n" + Data("""{"id":"c","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"hm"},"logprobs":null,"finish_reason":null}]}""") + Data("""{"id":"c","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"logprobs":null,"finish_reason":"length"}],"usage":{"completion_tokens":9}}""") + Done },
        { "Groq", Chat, "text/event-stream", Data("""{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_1"}}""") + HalfText + Data("""{"id":"c","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.1,"total_tokens":3}}}""") + Done },
        { "Mistral, thoughts", Chat, "text/event-stream", Data("""{"id":"c","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]},"finish_reason":null}]}""") + HalfText + Finish("model_length") + Done },
        { "MiniMax", Chat, "text/event-stream", HalfText + Data("""{"id":"c","choices":[{"finish_reason":"stop","index":0,"message":{"content":"half ","role":"assistant","name":"MM"}}],"object":"chat.completion","usage":{"total_tokens":3},"input_sensitive":false,"output_sensitive":false,"base_resp":{"status_code":0,"status_msg":""}}""") },
        { "OpenRouter", Chat, "text/event-stream", ": OPENROUTER PROCESSING\n\n" + Data("""{"id":"gen-1","provider":"X","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]},"finish_reason":null,"native_finish_reason":null}]}""") + HalfText + Finish("length", ",\"native_finish_reason\":\"MAX_TOKENS\",\"logprobs\":null") + Data("""{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null}],"usage":{"cost":0.1,"is_byok":false}}""") + Done },
        { "SGLang", Chat, "text/event-stream", HalfText + Finish("stop", ",\"matched_stop\":\"error\"") + Done },
        { "vLLM, a stop text", Chat, "text/event-stream", HalfText + Finish("stop", ",\"stop_reason\":\"error\"") + Done },
        { "SGLang, generate", "/generate", "text/event-stream", Data("""{"text":"half ","meta_info":{"id":"a","finish_reason":null,"prompt_tokens":3}}""") + Data("""{"text":"half done","meta_info":{"id":"a","finish_reason":{"type":"length","length":16},"prompt_tokens":3}}""") + Done },
        { "TGI", "/generate_stream", "text/event-stream", Data("""{"index":1,"token":{"id":1,"text":" half","logprob":-0.1,"special":false},"generated_text":null,"details":null}""") + Data("""{"index":2,"token":{"id":2,"text":" done","logprob":-0.1,"special":false},"generated_text":" half done","details":{"finish_reason":"length","generated_tokens":2,"seed":null}}""") },
        { "llama.cpp", "/completion", "text/event-stream", Data("""{"index":0,"content":"half ","tokens":[1],"stop":false,"id_slot":-1,"tokens_predicted":1}""") + Data("""{"index":0,"content":"","tokens":[],"id_slot":0,"stop":true,"model":"m","stop_type":"eos","stopping_word":"","timings":{"prompt_n":1}}""") },
        { "Anthropic, thoughts and a call", Messages, "text/event-stream", Event("message_start", """{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":{"input_tokens":3}}}""") + Event("ping", """{"type": "ping"}""") + Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""") + Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""") + Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq=="}}""") + Event("content_block_start", """{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}""") + Event("content_block_delta", """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"error\": "}}""") + Event("message_delta", """{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}""") + Event("message_stop", """{"type":"message_stop"}""") },
        { "Anthropic, a refusal at once", Messages, "text/event-stream", Event("message_start", """{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":null}}""") + Event("message_delta", """{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":1}}""") + Event("message_stop", """{"type":"message_stop"}""") },
        { "Anthropic, a search that failed", Messages, "text/event-stream", HalfMessage + Event("content_block_start", """{"type":"content_block_start","index":1,"content_block":{"type":"web_search_tool_result","tool_use_id":"s","content":{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}}}""") + Event("content_block_stop", """{"type":"content_block_stop","index":1}""") + EndMessage.Replace("end_turn", "pause_turn", StringComparison.Ordinal) },
        { "Anthropic, input of a server's tool", Messages, "text/event-stream", HalfMessage + Event("content_block_start", """{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"s","name":"code_execution","input":{"error":{"code":500,"message":"x"}}}}""") + EndMessage },
        { "Anthropic, a reason in the input of a server's tool", Messages, "text/event-stream", HalfMessage + Event("content_block_start", """{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"s","name":"code_execution","input":{"stop_reason":"error"}}}""") + EndMessage },
        { "Anthropic, a whole message with a call about a reason", Messages, "application/json", """{"id":"m","type":"message","role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"stop_reason":"error"}}],"stop_reason":"tool_use"}""" },
        { "Responses, a whole response with a tool that failed", Responses, "application/json", """{"id":"r","object":"response","output":[{"type":"mcp_call","status":"failed","name":"f"},{"type":"message","content":[{"type":"output_text","text":"x"}]}],"status":"completed"}""" },
        { "Responses, the status after a tool that failed", Responses, "text/event-stream", Event("response.completed", """{"type":"response.completed","response":{"id":"r","output":[{"type":"mcp_call","status":"failed","name":"f"}],"status":"completed"}}""") },
        { "Gemini, thoughts", Gemini, "text/event-stream", Data("""{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"thoughtsTokenCount":9}}""") + Data("""{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"Eq=="}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}]}""") },
        { "Gemini, a filter at once", Gemini, "text/event-stream", Data("""{"candidates":[{"finishReason":"SAFETY","index":0,"safetyRatings":[]}],"usageMetadata":{"promptTokenCount":3},"modelVersion":"g"}""") },
        { "Gemini, sources at the end", Gemini, "text/event-stream", HalfCandidate + Data("""{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0,"groundingMetadata":{"webSearchQueries":["error"],"groundingChunks":[{"web":{"uri":"https://x.test","title":"x"}}]}}],"usageMetadata":{"totalTokenCount":9}}""") + Data("""{"usageMetadata":{"promptTokenCount":3,"totalTokenCount":9},"modelVersion":"g"}""") },
        { "Gemini, a call about an error", Gemini, "text/event-stream", Data("""{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"report","args":{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}}}]},"finishReason":"STOP","index":0}]}""") },
        { "Gemini, a call about a reason", Gemini, "text/event-stream", Data("""{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"report","args":{"finishReason":"OTHER","finish_reason":"error"}}}]},"finishReason":"STOP","index":0}]}""") },
        { "Gemini, code that failed", Gemini, "text/event-stream", Data("""{"candidates":[{"content":{"role":"model","parts":[{"codeExecutionResult":{"outcome":"OUTCOME_FAILED","output":"Error: timeout"}}]},"index":0}]}""") + Data("""{"candidates":[{"content":{"role":"model","parts":[{"text":"done"}]},"finishReason":"STOP","index":0}]}""") },
        { "Vertex, array", Gemini, "application/json; charset=UTF-8", "[{\n  \"candidates\": [\n    {\n      \"content\": {\n        \"role\": \"model\",\n        \"parts\": [{\"text\": \"half ] } \\\"\"}]\n      }\n    }\n  ]\n}\n,\n{\n  \"candidates\": [\n    {\"finishReason\": \"STOP\"}\n  ],\n  \"usageMetadata\": {\"trafficType\": \"ON_DEMAND\"}\n}\n]\n" },
        { "Ollama, a call about an error", "/api/chat", "application/x-ndjson", "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"error\":\"overloaded\",\"done_reason\":\"error\"}}}]},\"done\":false}\n{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"stop\",\"done\":true}\n" },
        { "Ollama, a call in the last line", "/api/chat", "application/x-ndjson", "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"done_reason\":\"error\",\"error\":\"x\"}}}]},\"done_reason\":\"stop\",\"done\":true}\n" },
        { "Ollama, text", "/api/generate", "application/x-ndjson", "{\"model\":\"m\",\"response\":\"half \",\"done\":false}\n{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"length\",\"context\":[1,2]}\n" },
        { "Ollama, vectors", "/api/embed", "application/json; charset=utf-8", """{"model":"m","embeddings":[[0.1,-0.2]],"total_duration":1,"prompt_eval_count":3}""" },
        { "Ollama, a download", "/api/pull", "application/x-ndjson", "{\"status\":\"pulling manifest\"}\n{\"status\":\"pulling 5ee4\",\"digest\":\"sha256:5\",\"total\":9,\"completed\":3}\n{\"status\":\"success\"}\n" },
        { "Responses, a call", Responses, "text/event-stream", Event("response.reasoning_summary_text.delta", """{"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"i","delta":"hm"}""") + Event("response.function_call_arguments.delta", """{"type":"response.function_call_arguments.delta","sequence_number":4,"item_id":"f","delta":"{\"error\":1}"}""") + Completed("""[{"type":"function_call","name":"f","arguments":"{\"error\":1}"}]""") },
        { "Responses, a tool that failed", Responses, "text/event-stream", HalfResponse + Event("response.output_item.done", """{"type":"response.output_item.done","sequence_number":5,"output_index":1,"item":{"id":"m","type":"mcp_call","status":"failed","name":"f","arguments":"{}","output":null,"error":{"type":"mcp_protocol_error","code":-32603,"message":"x"}}}""") + Completed("""[{"id":"m","type":"mcp_call","status":"failed","name":"f","error":{"type":"mcp_protocol_error","code":-32603,"message":"x"}}]""") },
        { "Responses, only a tool that failed", Responses, "text/event-stream", Completed("""[{"id":"m","type":"mcp_call","status":"failed","name":"f","error":{"type":"http_error","code":500,"message":"x"}},{"type":"message","content":[{"type":"output_text","text":"half "}]}]""") },
        { "Responses, a refusal", Responses, "text/event-stream", Event("response.refusal.delta", """{"type":"response.refusal.delta","sequence_number":4,"item_id":"i","output_index":0,"content_index":0,"delta":"I cannot"}""") + Completed("[]") },
        { "Responses, an image", Responses, "text/event-stream", Event("response.image_generation_call.partial_image", """{"type":"response.image_generation_call.partial_image","sequence_number":4,"partial_image_index":0,"partial_image_b64":"AAAA"}""") + Completed("[]") },
        { "Responses, length", Responses, "text/event-stream", Event("response.reasoning_summary_text.delta", """{"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"i","delta":"hm"}""") + Event("response.incomplete", """{"type":"response.incomplete","sequence_number":5,"response":{"id":"r","status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"reasoning","summary":[]}]}}""") },
        { "a transcript", "/audio/transcriptions", "text/event-stream", Event("transcript.text.delta", """{"type":"transcript.text.delta","delta":"half ","logprobs":[]}""") + Event("transcript.text.done", """{"type":"transcript.text.done","text":"half "}""") },
        { "silence", "/audio/transcriptions", "text/event-stream", Event("transcript.text.done", """{"type":"transcript.text.done","text":""}""") },
        { "speech", "/audio/speech", "text/event-stream", Data("""{"type":"speech.audio.delta","audio":"AAAA"}""") + Data("""{"type":"speech.audio.done","usage":{"total_tokens":9}}""") },
        { "speech in bytes", "/audio/speech", "audio/mpeg", "{\"error\" ID3 data: [DONE]" },
        { "images", "/images/generations", "text/event-stream", Event("image_generation.partial_image", """{"type":"image_generation.partial_image","b64_json":"AAAA","partial_image_index":0}""") + Event("image_generation.completed", """{"type":"image_generation.completed","b64_json":"AAAA"}""") },
        { "a run", "/threads/t/runs", "text/event-stream", Event("thread.run.created", """{"id":"run_1","object":"thread.run","status":"queued","last_error":null}""") + Event("thread.message.delta", """{"id":"msg_1","object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"half "}}]}}""") + Event("thread.run.completed", """{"id":"run_1","object":"thread.run","status":"completed","last_error":null}""") + "event: done\ndata: [DONE]\n\n" },
        { "Cohere", "/v2/chat", "text/event-stream", Event("message-start", """{"id":"c","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}""") + Event("content-delta", """{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"half "}}}}""") + Event("message-end", """{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS","usage":{"tokens":{"output_tokens":2}}}}""") },
        { "DashScope", DashScope, "text/event-stream;charset=UTF-8", "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"half \",\"role\":\"assistant\"},\"finish_reason\":\"null\"}]},\"usage\":{\"total_tokens\":3},\"request_id\":\"r\"}\n\nid:2\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"\",\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]},\"request_id\":\"r\"}\n\n" },
    };

    /// <summary>What comes after some content in streams that failed.</summary>
    public static TheoryData<string, string, string, string> Failures => new()
    {
        { "Groq", Chat, HalfText, Data("""{"id":"c","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_1","error":"over_capacity"}}""") + Done },
        { "vLLM, flat", Chat, HalfText, Data("""{"object":"error","message":"CUDA error","type":"InternalServerError","param":null,"code":500}""") + Done },
        { "SGLang", Chat, HalfText, Data("""{"choices":[{"index":0,"delta":{},"finish_reason":{"type":"abort","message":"Abort before prefill","status_code":503,"err_type":"x"},"matched_stop":null}]}""") + Done },
        { "SGLang, generate", "/generate", Data("""{"text":"half ","meta_info":{"id":"a","finish_reason":null}}"""), Data("""{"text":"half ","meta_info":{"id":"a","finish_reason":{"type":"abort","message":"Aborted","status_code":500,"err_type":"InternalServerError"}}}""") + Done },
        { "TGI", "/generate_stream", Data("""{"index":1,"token":{"id":1,"text":" half","logprob":-0.1,"special":false},"generated_text":null,"details":null}"""), Data("""{"error":"Request failed during generation: Server error: CUDA out of memory","error_type":"generation"}""") },
        { "TGI, chat", Chat, HalfText, Data("""{"error":"Request failed during generation: Server error: x","error_type":"generation"}""") },
        { "TGI, chat with a type", Chat, HalfText, Data("""{"error":{"message":"Request failed during generation","http_status_code":424}}""") + Done },
        { "llama.cpp", "/completion", Data("""{"index":0,"content":"half ","tokens":[1],"stop":false}"""), "error: {\"code\":500,\"message\":\"x\",\"type\":\"server_error\"}\n\n" },
        { "LM Studio", Chat, HalfText, Event("error", """{"type":"error","error":{"type":"internal_error","message":"x"}}""") },
        { "DashScope", DashScope, "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"half \",\"role\":\"assistant\"},\"finish_reason\":\"null\"}]},\"request_id\":\"r\"}\n\n", "id:2\nevent:error\n:HTTP_STATUS/500\ndata:{\"code\":\"InternalError.Algo\",\"message\":\"x\",\"request_id\":\"r\"}\n\n" },
        { "Cohere", "/v2/chat", Event("content-delta", """{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"half "}}}}"""), Event("message-end", """{"type":"message-end","delta":{"error":"the generation failed","finish_reason":"ERROR"}}""") },
        { "MiniMax", Chat, HalfText, Data("""{"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"base_resp":{"status_code":1039,"status_msg":"token limit"}}""") },
        { "OpenRouter, in the choice", Chat, HalfText, Data("""{"id":"gen-1","choices":[{"index":0,"delta":{"content":""},"finish_reason":null,"error":{"code":429,"message":"Provider returned error"}}]}""") + Done },
        { "OpenRouter, after the model's reason", Chat, HalfText, Finish("stop", ",\"native_finish_reason\":\"upstream_error\"") + Done },
        { "OpenAI, a choice that goes on", Chat, HalfText, Data("""{"id":"c","choices":[{"index":1,"delta":{"content":"other"},"finish_reason":null}]}""") + Finish("stop") },
        { "OpenAI, text", "/completions", Data("""{"id":"c","object":"text_completion","choices":[{"text":"half ","index":0,"finish_reason":null}]}"""), Data("""{"id":"c","object":"text_completion","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"abort"}]}""") + Done },
        { "Anthropic, in a call", Messages, Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"""), Event("error", """{"type":"error","error":{"type":"api_error","message":"Internal server error"}}""") },
        { "Anthropic, a ping at the end", Messages, HalfMessage, Event("ping", """{"type":"ping"}""") },
        { "Responses, canceled", Responses, HalfResponse, Event("response.completed", """{"type":"response.completed","sequence_number":5,"response":{"id":"r","status":"cancelled","output":[]}}""") },
        { "Responses, a flat error", Responses, HalfResponse, Data("""{"type":"error","sequence_number":5,"error":{"type":"server_error","code":"server_error","message":"x","param":null}}""") },
        { "Gemini, error event", Gemini, HalfCandidate, Data("""{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}""") },
        { "Gemini, the second candidate", Gemini, HalfCandidate, Data("""{"candidates":[{"finishReason":"STOP","index":0},{"finishReason":"MALFORMED_FUNCTION_CALL","index":1}]}""") },
        { "Gemini, no mark", Gemini, HalfCandidate, Data("""{"usageMetadata":{"promptTokenCount":3,"totalTokenCount":9},"modelVersion":"g"}""") },
        { "Ollama", "/api/generate", "{\"model\":\"m\",\"response\":\"half \",\"done\":false}\n", "{\"error\":\"llama runner process no longer running: -1\"}\n" },
        { "images", "/images/generations", Event("image_generation.partial_image", """{"type":"image_generation.partial_image","b64_json":"AAAA","partial_image_index":0}"""), Event("error", """{"type":"error","error":{"type":"image_generation_server_error","code":"server_error","message":"x"}}""") },
        { "speech", "/audio/speech", Data("""{"type":"speech.audio.delta","audio":"AAAA"}"""), Data("""{"type":"error","error":{"message":"x","type":"server_error"}}""") },
        { "a run", "/threads/t/runs", Event("thread.message.delta", """{"id":"msg_1","object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"half "}}]}}"""), Event("thread.run.failed", """{"id":"run_1","object":"thread.run","status":"failed","last_error":{"code":"server_error","message":"x"}}""") + "event: done\ndata: [DONE]\n\n" },
        { "a page of a proxy", Chat, HalfText, "\r\n<!DOCTYPE html>\r\n<html><head><title>524: A timeout occurred</title></head></html>\r\n" },
        { "a comment of a proxy", Chat, HalfText, ": upstream closed\n\n" },
    };

    /// <summary>Answers to a request without a stream that are whole, although parts are missing.</summary>
    public static TheoryData<string, string, string> Answers => new()
    {
        { "a call", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"error\":{\"code\":500}}"}}]},"finish_reason":"tool_calls"}]}""" },
        { "a refusal", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I cannot"},"finish_reason":"stop"}],"error":null}""" },
        { "nothing to say", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"completion_tokens":0}}""" },
        { "thoughts only", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"","reasoning_content":"hm"},"finish_reason":"length"}]}""" },
        { "audio", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"audio":{"id":"a","data":"AAAA","transcript":"x"}},"finish_reason":"stop"}]}""" },
        { "Azure, filtered", Chat, """{"id":"c","choices":[{"finish_reason":"content_filter","index":0,"content_filter_results":{"hate":{"filtered":true,"severity":"high"}},"message":{"role":"assistant"}}]}""" },
        { "Azure, a filter that failed", Chat, """{"id":"c","choices":[{"finish_reason":"stop","index":0,"content_filter_results":{"error":{"code":"content_filter_error","message":"The contents are not filtered"}},"message":{"role":"assistant","content":"x"}}]}""" },
        { "MiniMax", Chat, """{"id":"c","choices":[{"finish_reason":"stop","index":0,"message":{"content":"x","role":"assistant"}}],"base_resp":{"status_code":0,"status_msg":""}}""" },
        { "Anthropic, a refusal", Messages, """{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":"refusal","usage":{"output_tokens":0}}""" },
        { "Anthropic, a fetch that failed", Messages, """{"id":"m","type":"message","role":"assistant","content":[{"type":"web_fetch_tool_result","tool_use_id":"s","content":{"type":"web_fetch_tool_error","error_code":"unavailable"}}],"stop_reason":"pause_turn"}""" },
        { "Gemini, a blocked prompt", "/v1beta/models/g:generateContent", """{"promptFeedback":{"blockReason":"OTHER"},"usageMetadata":{"promptTokenCount":3}}""" },
        { "Gemini, length", "/v1beta/models/g:generateContent", """{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"thoughtsTokenCount":9}}""" },
        { "Gemini, a call about an error", "/v1beta/models/g:generateContent", """{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"error":{"code":503,"message":"x"},"finishReason":"OTHER"}}}]},"finishReason":"STOP","index":0}]}""" },
        { "Responses, length", Responses, """{"id":"r","object":"response","status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"output":[]}""" },
        { "Responses, a tool that failed", Responses, """{"id":"r","object":"response","status":"completed","error":null,"output":[{"type":"mcp_call","status":"failed","error":{"type":"http_error","code":500,"message":"x"}}]}""" },
        { "silence", "/audio/transcriptions", """{"text":"","usage":{"type":"duration","seconds":3}}""" },
        { "a moderation", "/moderations", """{"id":"m","results":[{"flagged":true,"categories":{"hate":false}}]}""" },
        { "Bedrock", Converse, """{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{"error":{"code":500,"message":"x"}}}}]}},"stopReason":"tool_use","usage":{"totalTokens":9}}""" },
        { "Cohere", "/v2/chat", """{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"x"}]}}""" },
        { "Ollama", "/api/chat", """{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"error":"x"}}}]},"done_reason":"stop","done":true}""" },
    };

    /// <summary>Answers to a request without a stream that failed.</summary>
    public static TheoryData<string, string, string> NoAnswers => new()
    {
        { "a failure after a part", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"half "},"finish_reason":"error"}]}""" },
        { "OpenRouter", Chat, """{"id":"gen-1","choices":[{"index":0,"error":{"code":502,"message":"Upstream error"},"message":{"role":"assistant","content":"half "},"finish_reason":"error","native_finish_reason":"error"}]}""" },
        { "vLLM", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"half "},"finish_reason":"abort","stop_reason":null}]}""" },
        { "SGLang", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"half "},"finish_reason":{"type":"abort","message":"x"}}]}""" },
        { "MiniMax", Chat, """{"id":"c","choices":[{"finish_reason":"stop","index":0,"message":{"content":"","role":"assistant"}}],"base_resp":{"status_code":1013,"status_msg":"internal error"}}""" },
        { "SGLang, generate", "/generate", """{"text":"half ","meta_info":{"id":"a","finish_reason":{"type":"abort","message":"x","status_code":503}}}""" },
        { "Gemini, a malformed call", "/v1beta/models/g:generateContent", """{"candidates":[{"content":{},"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"x","index":0}]}""" },
        { "Responses", Responses, """{"id":"r","object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"x"},"output":[{"type":"message","content":[{"type":"output_text","text":"half "}]}]}""" },
        { "cut", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"half """ },
        { "cut after the choices", Chat, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"half "},"finish_reason":"stop"}],""" },
    };

    /// <summary>Keep-alives. <c>{n}</c> is a number, and <c>{id}</c> a new id.</summary>
    public static TheoryData<string, string, string> KeepAlives => new()
    {
        { "DeepSeek", Chat, ": keep-alive\n\n" },
        { "an empty delta", Chat, "data: {\"id\":\"{id}\",\"created\":{n},\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":null}]}\n\n" },
        { "a role", Chat, "data: {\"id\":\"{id}\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n" },
        { "a usage", Chat, "data: {\"id\":\"{id}\",\"choices\":[],\"usage\":{\"prompt_tokens\":{n},\"completion_tokens\":0}}\n\n" },
        { "fields without data", Chat, "id: {id}\nretry: 3000\n\n" },
        { "a type", Chat, "data: {\"type\":\"heartbeat\",\"id\":\"{id}\"}\n\n" },
        { "words in an event", Chat, "event: keep-alive\ndata: {id}\n\n" },
        { "Anthropic", Messages, "event: ping\ndata: {\"type\":\"ping\",\"cost\":\"{id}\"}\n\n" },
        { "Gemini", Gemini, "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":{n}},\"responseId\":\"{id}\"}\n\n" },
        { "Ollama", "/api/chat", "{\"model\":\"m\",\"created_at\":\"{id}\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n" },
    };

    /// <summary>What comes after the end of an answer, and must not reach the caller.</summary>
    public static TheoryData<string, string> Tails => new()
    {
        { "an error", Data("""{"error":{"message":"x","code":500}}""") },
        { "an event", Event("error", """{"message":"x"}""") },
        { "a page", "data: <html><head><title>502 Bad Gateway</title></head></html>\n\n" },
        { "a line", "error: {\"code\":500,\"message\":\"x\"}\n\n" },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Whole))]
    public Task A_whole_stream_is_delivered_byte_for_byte(string server, string path, string? label, string body) =>
        ExpectWholeAsync(server, path, label, body);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Failures))]
    public Task A_stream_that_failed_is_partial_after_content(string server, string path, string half, string failure) =>
        ExpectPartialAsync(server, path, half[0] == '{' ? "application/x-ndjson" : "text/event-stream", half + failure);

    [Fact(Timeout = 60_000)]
    public async Task A_stream_about_a_blocked_prompt_is_a_content_filter_and_asks_no_other_endpoint()
    {
        await using var pair = Pair(Gemini, new RawAnswer(200, "text/event-stream", Data("""{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3}}""")));
        (await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<EndpointFaultException>()).Which.Fault.Kind.Should().Be(FaultKind.ContentFilter);
        pair.Asked.Should().Be((1, 0));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Answers))]
    public async Task An_answer_without_a_stream_is_delivered(string server, string path, string body)
    {
        await using var pair = Pair(path, new RawAnswer(200, "application/json", body), isStream: false);
        (await pair.AskAsync()).Text.Should().Be(body, server);
        pair.Asked.Should().Be((1, 0), server);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(NoAnswers))]
    public async Task An_answer_that_failed_moves_on(string server, string path, string body)
    {
        await using var pair = Pair(path, new RawAnswer(200, "application/json", body), isStream: false);
        (await pair.AskAsync()).Text.Should().Contain("served", server);
        pair.Asked.Second.Should().Be(1, server);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(KeepAlives))]
    public Task Keep_alives_hold_no_call_beside_a_well_sibling(string server, string path, string item) =>
        ExpectNoProgressAsync(server, path, item[0] == '{' ? "application/x-ndjson" : "text/event-stream", item);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Tails))]
    public async Task A_failure_after_the_end_does_not_reach_the_caller(string tail, string bytes)
    {
        foreach (var end in new[] { FullChat, HalfText + Finish("stop") })
        {
            foreach (var pieces in Packets(end + bytes))
            {
                await using var pair = Pair(Chat, new RawAnswer(200, "text/event-stream", pieces));
                (await pair.AskAsync()).Text.Should().Be(end, tail);
                pair.Asked.Should().Be((1, 0), tail);
            }
        }
    }

    /// <summary>The body ends before its announced end. After the end of the answer this does not matter, and before it the answer was cut.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData("chunks", true)]
    [InlineData("chunks", false)]
    [InlineData("length", true)]
    [InlineData("length", false)]
    [InlineData("trailers", true)]
    [InlineData("trailers", false)]
    [InlineData("short length", true)]
    [InlineData("short length", false)]
    public async Task A_body_that_ends_too_early_is_cut_only_before_the_end(string framing, bool hasEnded)
    {
        var body = hasEnded ? FullChat : Role + HalfText;
        var bytes = Encoding.UTF8.GetBytes(body);
        await using var pair = Pair(Chat, framing switch
        {
            "chunks" => new RawAnswer(200, "text/event-stream", bytes) { IsCut = true },
            "length" => new RawAnswer(200, "text/event-stream", bytes) { EndsWithConnection = true, Headers = [("Content-Length", $"{bytes.Length + 100}")] },
            "short length" => new RawAnswer(200, "text/event-stream", [.. bytes, .. "data: {}\n\n"u8]) { EndsWithConnection = true, Headers = [("Content-Length", $"{bytes.Length}")] },
            _ => new RawAnswer(200, "text/event-stream", [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n0\r\nx-request-status: 500\r\ngrpc-status: 14\r\n\r\n"u8]) { EndsWithConnection = true, Headers = [("Transfer-Encoding", "chunked")] },
        });
        if (hasEnded)
            (await pair.AskAsync()).Text.Should().Be(body);
        else
            await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<PartialResponseException>();
        pair.Asked.Should().Be((1, 0));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("gzip", true)]
    [InlineData("gzip", false)]
    [InlineData("br", true)]
    [InlineData("br", false)]
    public async Task A_compressed_stream_is_read_like_any_other(string encoding, bool hasEnded)
    {
        var body = hasEnded ? FullChat : Role + HalfText;
        using var packed = new MemoryStream();
        using (Stream stream = encoding == "br" ? new BrotliStream(packed, CompressionMode.Compress, leaveOpen: true) : new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
            stream.Write(Encoding.UTF8.GetBytes(body));
        await using var pair = Pair(Chat, new RawAnswer(200, "text/event-stream", [.. packed.ToArray().Chunk(7)]) { Headers = [("Content-Encoding", encoding)] });
        if (hasEnded)
            (await pair.AskAsync()).Text.Should().Be(body);
        else
            await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<PartialResponseException>();
        pair.Asked.Should().Be((1, 0));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Amazons_events_are_passed_on_and_a_cut_is_partial(bool isWhole)
    {
        byte[] body = [0, 0, 0, 91, 0, 0, 0, 75, 1, 2, 3, 4, 11, .. ":event-type"u8, 7, 0, 17, .. "contentBlockDelta"u8, .. "{\"delta\":{\"text\":\"half \"}}"u8, 1, 2, 3, 4];
        await using var pair = Pair("/model/m/converse-stream", new RawAnswer(200, "application/vnd.amazon.eventstream", [.. body.Chunk(10)]) { IsCut = !isWhole });
        using var response = await pair.SendAsync("hi", Ct);
        if (isWhole)
            (await response.Content.ReadAsByteArrayAsync(Ct)).Should().Equal(body);
        else
            await response.Awaiting(r => r.Content.ReadAsByteArrayAsync(Ct)).Should().ThrowAsync<PartialResponseException>();
        pair.Asked.Should().Be((1, 0));
    }

    private static string Data(string json) => "data: " + json + "\n\n";

    private static string Event(string name, string json) => "event: " + name + "\ndata: " + json + "\n\n";

    private static string Completed(string output) =>
        Event("response.completed", "{\"type\":\"response.completed\",\"sequence_number\":9,\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"error\":null,\"incomplete_details\":null,\"output\":" + output + "}}");
}
