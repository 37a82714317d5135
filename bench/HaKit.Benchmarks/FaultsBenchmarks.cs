using System.Net.Http.Headers;
using System.Text;
using BenchmarkDotNet.Attributes;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Benchmarks;

/// <summary>Measures the cost of classifying an answer: error bodies of 300 bytes, a success whose body is searched, and the headers alone.</summary>
[MemoryDiagnoser]
public class FaultsBenchmarks
{
    private FaultEvidence _byCode;
    private FaultEvidence _byMessage;
    private FaultEvidence _throttle;
    private FaultEvidence _cut;
    private FaultEvidence _success;
    private HttpResponseHeaders _limits = null!;

    [GlobalSetup]
    public void Setup()
    {
        const string quota = """{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors, or write to the people who help. Thank you!","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}""";
        const string context = """{"error":{"message":"This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the messages, 8192 in the completion). Please reduce the length of the messages or completion, and then try again, please.","type":"invalid_request_error","param":null,"code":null}}""";
        const string tokens = """{"error":{"message":"Rate limit reached for model `llama3-70b-8192` in organization `org_x` on tokens per minute (TPM): Limit 7000, Used 0, Requested ~12903. Please try again in 50.597142857s. Visit https://console.groq.com/docs/rate-limits for more.","type":"tokens","code":"rate_limit_exceeded"}}""";
        _limits = Headers(
            ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s"));
        _byCode = Evidence(429, quota);
        _byMessage = Evidence(400, context);
        _throttle = Evidence(429, tokens);
        _cut = Evidence(429, quota[..250]);
        _success = Evidence(200, """{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I assist you today? I can help with many things, large and small, if you only ask."},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}""");
    }

    [Benchmark(Baseline = true)]
    public Fault? Quota_by_code() => FaultClassifier.Default.Classify(in _byCode);

    [Benchmark]
    public Fault? Context_length_by_message() => FaultClassifier.Default.Classify(in _byMessage);

    [Benchmark]
    public Fault? Throttle_with_the_wait_in_the_message() => FaultClassifier.Default.Classify(in _throttle);

    [Benchmark]
    public Fault? Cut_body() => FaultClassifier.Default.Classify(in _cut);

    [Benchmark]
    public Fault? Success() => FaultClassifier.Default.Classify(in _success);

    [Benchmark]
    public TimeSpan? Limits_of_an_answer() => RateLimitHeaders.Read(_limits, WireDialect.OpenAI, default).ResetOfExhausted;

    private FaultEvidence Evidence(int status, string body) => new()
    {
        Dialect = WireDialect.OpenAI,
        StatusCode = status,
        Headers = _limits,
        Body = Encoding.UTF8.GetBytes(body),
    };

    private static HttpResponseHeaders Headers(params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage();
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return response.Headers;
    }
}
