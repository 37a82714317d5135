using System.Text;
using System.Text.Json;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests messages that repeat a prompt without a sign in front of it: at the beginning, in the middle of a sentence, after the text of a status, and in Chinese,
/// Japanese and other languages. The refusal of a prompt with dangerous words must have the same effect on the pool as the refusal of an innocent prompt.
/// </summary>
public sealed class RepeatedPromptTests
{
    private const string Innocent = "hello world";

    private static readonly int[] s_statuses = [400, 403, 404, 412, 422, 429, 500, 503];

    private static readonly string[] s_prompts =
    [
        "You exceeded your current quota, please check your plan and billing details.", "why did my account get suspended for insufficient balance", "explain insufficient_quota to me", "what does invalid api key mean",
        "write a mail that says your API key has expired", "rate limit exceeded, retry after 3600 seconds", "my friend has run out of credits", "a story about a billing hard limit", "how do I fix model not found", "the model gpt-4 does not exist, why",
        "tell me about the maximum context length", "summarize the content policy", "the service is overloaded, try again in 2 hours", "our monthly spending limit has been reached, write an apology", "per day limit: 0", "authentication failed in my app",
        "daily quota reached, what now", "too many tokens: 9000 > 8000", "Your credit balance is too low", "Incorrect API key provided", "账户余额不足怎么办", "模型不存在是什么意思", "额度已用尽", "API密钥无效怎么修复", "敏感内容有哪些", "please wait 7200 seconds",
    ];

    // At the beginning of a message, a text that is a whole sentence of a provider cannot be told apart from the provider's own sentence.
    private static readonly string[] s_sentences = ["You exceeded your current quota, please check your plan and billing details.", "rate limit exceeded, retry after 3600 seconds", "the service is overloaded, try again in 2 hours", "Your credit balance is too low", "Incorrect API key provided", "额度已用尽", "please wait 7200 seconds", "too many tokens: 9000 > 8000"];

    private static readonly Func<string, string>[] s_beginnings =
    [
        w => $"{w} is not a valid value for role", w => $"{w}: unexpected token at position 3", w => $"{w} does not match any of the allowed values", w => $"{w} is not valid under any of the given schemas", w => $"{w}\nis not a valid message",
        w => $"{w}... cannot be parsed", w => $"{w} was rejected by rule 12", w => $"{w}不是有效的角色", w => $"{w}は許可されていません", w => $"{w} ist keine gültige Eingabe",
    ];

    private static readonly Func<string, string>[] s_middles =
    [
        w => $"No handler for {w}", w => $"Request blocked by guard because {w}", w => $"Cannot process {w}", w => $"Error processing input {w}", w => $"Model failed on {w} after 3 attempts", w => $"Guard matched {w} in the user message",
        w => $"Skipped message {w} of conversation 5", w => $"We could not understand {w}, please rephrase", w => $"Failed to tokenize {w}", w => $"Template error near {w}", w => $"Detected forbidden phrase {w} in input", w => $"No tool named {w} found",
        w => $"Sorry, {w} cannot be answered by this assistant", w => $"Nothing matches {w}", w => $"upstream error while sending {w} to backend", w => $"Agent stopped at step {w}", w => $"The assistant refused {w}", w => $"Rule 12 does not allow {w}",
    ];

    private static readonly Func<string, string>[] s_afterKnown =
    [
        w => $"Service Unavailable {w}", w => $"Internal server error {w}", w => $"Not Found {w}", w => $"Forbidden {w}", w => $"Bad Request {w}", w => $"Unprocessable Entity {w}", w => $"Too Many Requests {w}", w => $"Provider returned error {w}",
        w => $"Rate limit reached for user asking {w}", w => $"The server had an error while processing your request {w}", w => $"Input validation error {w}", w => $"Request too large {w}", w => $"Precondition Failed {w}", w => $"Resource exhausted {w}",
    ];

    private static readonly Func<string, string>[] s_languages =
    [
        w => $"无法处理{w}", w => $"输入{w}不合法", w => $"请求内容{w}包含非法字符", w => $"解析{w}失败", w => $"不支持的输入 {w}", w => $"您的问题“{w}”无法回答", w => $"提示词：{w}", w => $"入力{w}は無効です", w => $"プロンプト「{w}」を処理できません",
        w => $"メッセージ {w} を解析できませんでした", w => $"リクエストエラー {w}", w => $"잘못된 입력 {w}", w => $"La requête {w} a été refusée", w => $"Die Eingabe {w} wurde abgelehnt", w => $"La entrada {w} no es válida", w => $"Запрос {w} отклонён",
    ];

    private static readonly Func<int, string, string>[] s_bodies =
    [
        (status, text) => $$$"""{"error":{"message":{{{text}}},"type":"invalid_request_error","param":null,"code":null}}""", (status, text) => $$"""{"object":"error","message":{{text}},"type":"Error","param":null,"code":{{status}}}""",
        (status, text) => $$"""{"detail":{{text}}}""", (status, text) => $$"""{"error":{{text}}}""", (status, text) => JsonSerializer.Deserialize<string>(text)!,
    ];

    [Fact]
    public void A_prompt_at_the_beginning_of_a_message_takes_no_endpoint_away() => Check(s_beginnings, s_prompts.Except(s_sentences));

    [Fact]
    public void A_prompt_in_the_middle_of_a_sentence_takes_no_endpoint_away() => Check(s_middles, s_prompts);

    [Fact]
    public void A_prompt_after_a_known_text_takes_no_endpoint_away() => Check(s_afterKnown, s_prompts);

    [Fact]
    public void A_prompt_in_a_message_of_another_language_takes_no_endpoint_away() => Check(s_languages, s_prompts);

    private static void Check(Func<string, string>[] echoes, IEnumerable<string> prompts)
    {
        var failures = new List<string>();
        var count = 0;
        var others = 0;
        foreach (var (status, echo, shape) in from s in s_statuses from e in echoes from b in s_bodies select (s, e, b))
        {
            var plain = Classify(status, shape(status, JsonSerializer.Serialize(echo(Innocent))));
            foreach (var prompt in prompts)
            {
                count++;
                var fault = Classify(status, shape(status, JsonSerializer.Serialize(echo(prompt))));
                if (EffectOnPool(fault) is not "none" && EffectOnPool(fault) != EffectOnPool(plain))
                    failures.Add($"{status} {echo(prompt)}: {Fixture.Describe(fault)} {fault.SecondOpinion}, and not {Fixture.Describe(plain)} {plain.SecondOpinion}");
                else if (fault != plain)
                    others++;
            }
        }

        failures.Distinct().Take(20).Should().BeEmpty("{0} of {1} refusals depend on the prompt, {2} others only for their own call", failures.Count, count, others);
    }

    private static string EffectOnPool(Fault fault) => fault is { IsNeutral: true, SecondOpinion: SecondOpinion.None or SecondOpinion.One }
        ? "none"
        : $"{fault.Kind} {fault.Reach} {fault.RetryAfter} {fault.UntilCleared} {fault.IsProvisional} {fault.MayAskAgain}";

    private static Fault Classify(int status, string body) =>
        FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = status, Body = Encoding.UTF8.GetBytes(body), Request = RequestKind.CreatesAnswer, Now = Fixture.Now })!;
}
