using System.ClientModel;
using System.Globalization;
using System.Text;
using HaKit.Testing;
using OpenAI.Chat;

namespace HaKit.Tool.Rehearsals;

/// <summary>Makes calls with the official SDK and checks the whole answers.</summary>
internal sealed class Caller(ChatClient client, Ledger ledger)
{
    public async Task CallAsync(int number, Arrival arrival, bool streamed, CancellationToken cancellationToken)
    {
        var prompt = Prompt(number, arrival.PromptTokens);
        var call = ledger.BeginCall();
        var received = new StringBuilder();
        try
        {
            var options = new ChatCompletionOptions { MaxOutputTokenCount = arrival.AnswerTokens };
            var (isWhole, servedBy) = streamed
                ? await StreamAsync(prompt, options, received, cancellationToken)
                : await CompleteAsync(prompt, options, received, cancellationToken);
            if (isWhole && received.Equals(FakeAnswers.AnswerTo(prompt, arrival.AnswerTokens)))
                ledger.EndCall(call, CallOutcome.Served, servedBy ?? call.Attempts[^1].Endpoint);
            else
                ledger.EndCall(call, CallOutcome.Wrong, why: $"call {number}: {received.Length} characters that are not the answer");
        }
#pragma warning disable CA1031 // Every exception ends its call as lost or cut, and the report contains its message.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            ledger.EndCall(call, exception is PartialResponseException ? CallOutcome.Cut : CallOutcome.Lost, why: $"call {number}: {exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}");
        }
    }

    private async Task<(bool IsWhole, string? ServedBy)> CompleteAsync(
        string prompt, ChatCompletionOptions options, StringBuilder received, CancellationToken cancellationToken)
    {
        var result = await client.CompleteChatAsync([new UserChatMessage(prompt)], options, cancellationToken);
        foreach (var part in result.Value.Content)
            received.Append(part.Text);
        result.GetRawResponse().Headers.TryGetValue("x-fake-endpoint", out var servedBy);
        return (true, servedBy);
    }

    private async Task<(bool IsWhole, string? ServedBy)> StreamAsync(
        string prompt, ChatCompletionOptions options, StringBuilder received, CancellationToken cancellationToken)
    {
        var hasEnded = false;
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage(prompt)], options, cancellationToken))
        {
            foreach (var part in update.ContentUpdate)
                received.Append(part.Text);
            hasEnded |= update.FinishReason is not null;
        }
        return (hasEnded, null);
    }

    // The prompt is unique, so that an answer to another call is detected. It has the given length; the fake counts four characters as one token.
    internal static string Prompt(int number, int tokens)
    {
        const string Filler = "and so on, ";
        var prompt = new StringBuilder(number.ToString(CultureInfo.InvariantCulture)).Append(": ");
        while (prompt.Length < 4 * tokens)
            prompt.Append(Filler);
        if (prompt.Length > 4 * tokens && tokens > 3)
            prompt.Length = 4 * tokens;
        return prompt.ToString();
    }
}
