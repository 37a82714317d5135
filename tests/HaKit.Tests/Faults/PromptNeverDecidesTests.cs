using System.Text;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Testing;
using HaKit.Tests.Http;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests that the prompt of one caller never decides about an endpoint. A server may repeat a part of the request in its refusal. The refusal of a prompt with
/// dangerous words must then have the same fault as the refusal of an innocent prompt: the same kind, reach, time and number of endpoints to ask. A message that begins with the prompt, or that has
/// no sign at all in front of it, cannot be told apart from the server's own words.
/// </summary>
public sealed class PromptNeverDecidesTests
{
    private const string Innocent = "hello world";

    private static readonly int[] s_statuses = [400, 401, 402, 403, 404, 408, 412, 413, 422, 424, 429, 451, 498, 500, 503, 529];

    /// <summary>Prompts with words that have a meaning if they are the server's own.</summary>
    public static readonly string[] Prompts =
    [
        "insufficient_quota", "You exceeded your current quota, please check your plan and billing details", "invalid api key", "Incorrect API key provided: sk-abc", "API key not valid", "model 'gpt-4' does not exist", "The model gpt-4 does not exist",
        "unknown model gpt-4", "invalid model", "no such model", "maximum context length is 8192 tokens", "prompt is too long: 9 tokens > 8", "context_length_exceeded", "the input length exceeds the context length", "content management policy", "content policy", "nsfw content detected",
        "this violates our usage policies", "rate limit reached, try again in 3600s", "Retry-After: 86400", "retry after 1 hour", "billing hard limit has been reached", "Your credit balance is too low", "your account has been suspended", "Your team doesn't have any credits",
        "server overloaded", "the model is overloaded", "we are at capacity", "limit: 0", "Limit 30000, Requested 342389", "5 > 4 tokens", "request too large", "authentication failed", "out of call volume quota", "余额不足", "敏感内容", "模型不存在",
        "why do I get: You exceeded your current quota", "it's \"quoted\": insufficient balance", "a `name` and insufficient_quota", "two\nlines: content policy", "(in brackets) maximum context length", "{\"error\":{\"code\":\"insufficient_quota\"}}", "<b>content filter</b>", "[the model is overloaded]",
        "per day quota exceeded, limit: 0", "deployment not found", "Error code: 429 - {'error': {'message': 'try again in 3600s'}}", "my prompt violates your content policy", "daily limit reached",
    ];

    /// <summary>Messages that repeat a prompt. The text before the prompt shows that a caller's text follows: a mark, a colon, a dash, a new line, or a word.</summary>
    public static readonly Func<string, string>[] Echoes =
    [
        .. WireSiblings.Quotations,
        w => $"1 validation error for ChatRequest\nmessages.0.content\n  Input should be a valid list [type=list_type, input_value='{w}', input_type=str]", w => $"Invalid value: '{w}'. Supported values are: 'system', 'user'.", w => $"Invalid value: '{w}", w => $"Field \"a\" has the value \"{w}",
        w => $"Bad value \"{w}... [truncated]", w => $"Unexpected token 'x', \"{w}\" is not valid JSON", w => $"Bad input: {w}", w => $"Blocked by rule 12: {w}", w => $"Could not read the request - {w}", w => $"Could not read the request \u2012 {w}", w => $"Illegal argument \u2192 {w}", w => $"Bad request\n{w}", w => $"Not allowed. prompt={w}", w => $"Not allowed. Prompt: {w}",
        w => $"Invalid prompt {w}", w => $"Your question {w} was not allowed", w => $"The user said {w}", w => $"Unknown role: {w}", w => $"Could not parse {w}", w => $"Failed to decode {w} at line 3", w => $"Unexpected value {w}", w => $"Unrecognized {w}", w => $"Expected a list, got {w}",
        w => $"Failed to deserialize the JSON body into the target type: {w} at line 1 column 5", w => $"messages -> 0 -> content: {w} is not a list", w => $"Request blocked ({w})", w => $"Request blocked ({w}) by rule (5)", w => $"Route not found for {{\"content\":{w}}}", w => $"入力: {w}", w => $"参数错误：{w}",
        w => $"Entrée non valide : {w}", w => $"litellm.BadRequestError: OpenAIException - Invalid value: '{w}'", w => $"litellm.BadRequestError: Blocked: {w}", w => $"Error code: 400 - {{'error': {{'message': \"Invalid value: '{w}'\"}}}}", w => $"Malformed input request: #/messages/0: {w}, please reformat your input",
        w => $"Invalid request: {w}", w => $"Request failed: {w}", w => $"Internal error while handling: {w}", w => $"Resource has been exhausted (e.g. check quota). Prompt: {w}", w => $"Quota check failed for input {w}", w => $"Unknown tool `{w}` in `tools`", w => $"Model m refused query {w}",
        w => $"Rate limit of key k: asked for {w}", w => $"Overflow; you wrote {w}", w => $"Unexpected text: {w}. Use another model", w => $"‚{w}‘ is not a role", w => $"⟨{w}⟩", w => $"‹{w}", w => $"Bad body {{'messages': [{{'content': {w}}}]}}", w => $"error parsing content {w} of message 0",
        w => $"Additional properties are not allowed ({w} was unexpected)", w => $"Unknown variant `{w}`, expected one of `system`, `user`", w => $"x: \\\"{w}\\\"",
    ];

    private static readonly Func<string, string>[] s_asked = [w => $"Invalid value: '{w}", w => $"Bad input: {w}", w => $"Not allowed. prompt={w}", w => $"Could not parse {w}"];

    private static readonly WireDialect[] s_dialects = [WireDialect.OpenAI, WireDialect.Gemini, WireDialect.Bedrock];

    private static readonly Func<int, string, string>[] s_bodies =
    [
        (status, text) => $$$"""{"error":{"message":{{{text}}},"type":"invalid_request_error","param":null,"code":null}}""", (status, text) => $$"""{"object":"error","message":{{text}},"type":"BadRequestError","param":null,"code":{{status}}}""",
        (status, text) => $$"""{"detail":{{text}}}""", (status, text) => $$"""{"error":{{text}}}""", (status, text) => $$"""{"errors":[{"message":{{text}},"code":5006}],"success":false}""",
    ];

    // JSON Schema begins a message with the caller's value. A value with quotation marks is written inside quotation marks.
    private static readonly Func<string, string>[] s_beginnings = [w => $"{w} is not of type 'array' - 'messages'", w => $"{w} is not one of ['system', 'user']"];

    // A size in parentheses counts at 402, 413 and 429, because providers write "(limit 5, requested 9)". The request is then too large: no endpoint is taken away.
    private static readonly string[] s_sizes = ["Limit 30000, Requested 342389", "5 > 4 tokens", "request too large"];

    [Fact]
    public void A_refusal_that_repeats_a_prompt_means_the_same_for_every_prompt()
    {
        var failures = new List<string>();
        var count = 0;
        foreach (var (status, echo) in from s in s_statuses from e in Echoes.Concat(s_beginnings) select (s, e))
        {
            foreach (var (dialect, shape) in (from b in s_bodies select (WireDialect.Unknown, b)).Concat(from d in s_dialects select (d, s_bodies[0])))
            {
                var plain = Classify(status, shape(status, JsonSerializer.Serialize(echo(Innocent))), dialect);
                foreach (var prompt in Prompts.Take(Effort.Of(Prompts.Length)).Where(p => !s_beginnings.Contains(echo) || !p.Contains('\'', StringComparison.Ordinal)))
                {
                    count++;
                    var fault = Classify(status, shape(status, JsonSerializer.Serialize(echo(prompt))), dialect);
                    var isHarmless = fault is { Kind: FaultKind.RequestTooLarge, IsNeutral: true, RetryAfter: null } && s_sizes.Contains(prompt) && echo(prompt).Contains($"({prompt})", StringComparison.Ordinal);
                    if (fault != plain && !isHarmless)
                        failures.Add($"{status} {dialect} {echo(prompt)}: {Fixture.Describe(fault)} {fault.SecondOpinion}, and not {Fixture.Describe(plain)} {plain.SecondOpinion}");
                }
            }
        }

        failures.Take(20).Should().BeEmpty("{0} of {1} refusals depend on the prompt", failures.Count, count);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(413)]
    [InlineData(422)]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_pool_treats_its_endpoints_alike_after_the_refusal_of_any_prompt(int status)
    {
        foreach (var echo in s_asked)
        {
            var plain = await AskAsync(status, echo(Innocent));
            foreach (var prompt in (string[])["You exceeded your current quota, please check your plan and billing details", "invalid api key", "unknown model gpt-4", "maximum context length is 8192 tokens", "content policy", "the model is overloaded", "try again in 3600s"])
                (await AskAsync(status, echo(prompt))).Should().Be(plain, "{0} {1}", status, echo(prompt));
        }
    }

    private static async Task<string> AskAsync(int status, string message)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new { error = new { message, type = "invalid_request_error" } });
        var input = new WireInput("x", "/v1/chat/completions", IsStream: false, "", null, new Dictionary<string, string>(), 200, null, [], []);
        var time = new ManualTimeProvider();
        await using var pair = new WirePair(input, _ => new RawAnswer(status, "application/json", body), time: time, configure: o => o.MaxWait = TimeSpan.Zero);
        var answered = await AnswerOfAsync(pair);
        var endpoints = pair.Pool.Explain(RequestProfile.Default).Select(e => $"{e.Health} {e.LacksModel}");
        return $"{answered} {pair.Asked} {string.Join(", ", endpoints)}";
    }

    // After a throttle no endpoint of the account can take the call, and the call would have to wait.
    private static async Task<string> AnswerOfAsync(WirePair pair)
    {
        try
        {
            return $"{(await pair.AskAsync()).Status}";
        }
        catch (EndpointPoolException exception)
        {
            return $"{exception.GetType().Name}, try again after {exception.RetryAfter}";
        }
    }

    private static Fault Classify(int status, string body, WireDialect dialect) =>
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = status, Body = Encoding.UTF8.GetBytes(body), Dialect = dialect, Request = RequestKind.CreatesAnswer, Now = Fixture.Now })!;
}
