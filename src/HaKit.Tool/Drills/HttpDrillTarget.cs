using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>Calls OpenAI's chat completions at an address, plain and as streams.</summary>
internal sealed class HttpDrillTarget(HttpClient client, Uri address, IReadOnlyList<KeyValuePair<string, string>> headers, IAsyncDisposable? behind = null) : IDrillTarget
{
    private readonly Uri _chat = new(address.AbsoluteUri.TrimEnd('/') + "/chat/completions");

    public async Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken)
    {
        using var request = ChatExchange.CreateRequest(_chat, prompt, streamed);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return await ChatExchange.ReadAsync(response, streamed, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (behind is not null)
            await behind.DisposeAsync();
    }
}
