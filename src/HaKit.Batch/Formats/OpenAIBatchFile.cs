using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Formats;

/// <summary>Represents one line of a request file in the format of OpenAI's batch API. Immutable.</summary>
/// <param name="CustomId">The item's id.</param>
/// <param name="Url">The path, for example <c>/v1/chat/completions</c>.</param>
/// <param name="Body">The request's body.</param>
public sealed record OpenAIBatchRequest(
    [property: JsonPropertyName("custom_id")] string CustomId, [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("body"), JsonConverter(typeof(JsonAsWritten))] JsonElement Body);

/// <summary>Represents the answer to one request. Immutable.</summary>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="Body">The body.</param>
public sealed record OpenAIBatchAnswer([property: JsonPropertyName("status_code")] int StatusCode, [property: JsonPropertyName("body"), JsonConverter(typeof(JsonAsWritten))] JsonElement Body);

/// <summary>Reads and writes files in the format of OpenAI's batch API: one JSON object per line. Thread-safe.</summary>
public static class OpenAIBatchFile
{
    /// <summary>Reads requests.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidDataException">A line is not a request; the message names the line and the mistake.</exception>
    public static async IAsyncEnumerable<OpenAIBatchRequest> ReadAsync(Stream file, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        using var reader = new StreamReader(file, leaveOpen: true);
        for (var number = 1; await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
                yield return RequestOf(line, number);
        }
    }

    /// <summary>Writes each result as one line, in the order in which results arrive.</summary>
    /// <param name="file">The file.</param>
    /// <param name="results">The results.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static async Task WriteAsync(Stream file, IAsyncEnumerable<BatchResult<OpenAIBatchRequest, OpenAIBatchAnswer>> results, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(results);
        await foreach (var result in results.WithCancellation(cancellationToken).ConfigureAwait(false))
            await file.WriteAsync(Line(result.Id, result.State, result.Result, result.Error), cancellationToken).ConfigureAwait(false);
        await file.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the results in a store, in the order of the items.</summary>
    /// <param name="file">The file.</param>
    /// <param name="store">The store of a batch of <see cref="OpenAIBatchRequest"/>.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>The number of lines.</returns>
    public static async Task<long> ExportAsync(Stream file, IBatchStore store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(store);
        var lines = 0L;
        await foreach (var stored in store.ReadFinishedAsync(BatchContent.Result, cancellationToken).ConfigureAwait(false))
        {
            var answer = stored.Outcome.State == BatchItemState.Succeeded ? JsonSerializer.Deserialize(stored.Outcome.Result.Span, OpenAIBatchJson.Default.OpenAIBatchAnswer) : null;
            await file.WriteAsync(Line(stored.Id, stored.Outcome.State, answer, stored.Outcome.Error), cancellationToken).ConfigureAwait(false);
            lines++;
        }
        await file.FlushAsync(cancellationToken).ConfigureAwait(false);
        return lines;
    }

    private const string Form = """A line is one request: {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": { … }}.""";

    private static OpenAIBatchRequest RequestOf(string line, int number)
    {
        try
        {
            using var json = OpenAIBatchJson.Parse(line);
            var root = json.RootElement;
            if (root.TryGetProperty("method", out var method) && method.GetString() is not "POST")
                throw new InvalidDataException($"Line {number}: the method is '{method.GetString()}'; POST is needed.");
            if (Text("url") is var path && !path.StartsWith('/'))
                throw new InvalidDataException($"Line {number}: the url does not begin with '/'. A path such as '/v1/chat/completions' is needed, because the pool chooses the server.");
            if (root.TryGetProperty("body", out var content) && content.ValueKind == JsonValueKind.Object && content.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True)
                throw new InvalidDataException($"Line {number}: the body asks for a stream, and a batch stores whole answers. Remove \"stream\" from the body.");
            return new OpenAIBatchRequest(Text("custom_id"), Text("url"), root.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.Object ? body.Clone() : throw Missing("body"));

            string Text(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : throw Missing(name);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"Line {number} is not a JSON object. {Form}", exception);
        }

        InvalidDataException Missing(string name) => new($"Line {number} has no '{name}'. {Form}");
    }

    private static byte[] Line(string id, BatchItemState state, OpenAIBatchAnswer? answer, string? error)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", "hakit-" + id);
            json.WriteString("custom_id", id);
            if (answer is not null)
            {
                json.WritePropertyName("response");
                JsonSerializer.Serialize(json, answer, OpenAIBatchJson.Default.OpenAIBatchAnswer);
                json.WriteNull("error");
            }
            else
            {
                json.WriteNull("response");
                json.WriteStartObject("error");
                json.WriteString("code", state == BatchItemState.Unknown ? "unknown" : error?.Split(' ')[0] ?? "failed");
                json.WriteString("message", error);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
