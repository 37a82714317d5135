using System.Text;
using HaKit.Testing;
using HaKit.Tool.Drills;
using Microsoft.Extensions.AI;

namespace HaKit.Drills;

/// <summary>Calls a chat client, plain and as streams.</summary>
internal sealed class ChatDrillTarget(IChatClient client, IAsyncDisposable? behind) : IDrillTarget
{
    public async Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken)
    {
        if (!streamed)
        {
            var response = await client.GetResponseAsync([new ChatMessage(ChatRole.User, prompt)], null, cancellationToken);
            return new DrillAnswer(response.Text, response.FinishReason is not null);
        }
        var text = new StringBuilder();
        var hasEnded = false;
        await foreach (var update in client.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, prompt)], null, cancellationToken))
        {
            text.Append(update.Text);
            hasEnded |= update.FinishReason is not null;
        }
        return new DrillAnswer(text.ToString(), hasEnded);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (behind is not null)
            await behind.DisposeAsync();
    }
}
