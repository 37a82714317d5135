using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>Calls OpenAI's chat completions, or Anthropic's messages, at an address, plain and as streams.</summary>
internal sealed class HttpDrillTarget(HttpClient client, Uri address, IReadOnlyList<KeyValuePair<string, string>> headers, IAsyncDisposable? behind = null, DrillDialect? dialect = null) : IDrillTarget
{
    private readonly DrillDialect _dialect = dialect ?? DrillDialect.OpenAI;
    private readonly Uri _path = new($"{address.AbsoluteUri.TrimEnd('/')}/{(dialect ?? DrillDialect.OpenAI).Path}");

    public async Task<DrillAnswer> CallAsync(string prompt, bool streamed, CancellationToken cancellationToken)
    {
        using var request = _dialect.CreateRequest(_path, prompt, streamed);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return await _dialect.ReadAsync(response, streamed, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (behind is not null)
            await behind.DisposeAsync();
    }
}
