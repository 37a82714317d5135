using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HaKit.Batch.Formats;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit.Batch.Running;

/// <summary>Posts requests in OpenAI's batch format to a pool unchanged.</summary>
internal sealed class HttpWork(EndpointPool pool, HttpClient client) : BatchWork<OpenAIBatchRequest, OpenAIBatchAnswer>
{
    private const int BytesPerToken = 4;
    private static readonly string[] s_withoutOutput = ["/embeddings", "/rerank", "/moderations"];

    public override EndpointPool? Pool => pool;

    public override RequestFingerprint FingerprintOf(OpenAIBatchRequest item, ReadOnlyMemory<byte> input) =>
        RequestFingerprint.Compute(Encoding.UTF8.GetBytes(item.Body.GetRawText()), Encoding.UTF8.GetBytes(item.Url));

    public override PreparedCall<OpenAIBatchAnswer> Prepare(IReadOnlyList<OpenAIBatchRequest> items)
    {
        var (address, body, text) = (AddressOf(items[0].Url), items[0].Body, items[0].Body.GetRawText());
        var output = NumberOf(body, "max_completion_tokens") ?? NumberOf(body, "max_output_tokens") ?? NumberOf(body, "max_tokens") ?? 0;
        return new([(text.Length / BytesPerToken + 1, output)], (profile, token) => CallAsync(address, text, profile, token));
    }

    private async ValueTask<CallAnswer<OpenAIBatchAnswer>> CallAsync(Uri address, string text, RequestProfile profile, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        request.Options.Set(EndpointPoolHandler.ProfileKey, profile);
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
        if (!response.IsSuccessStatusCode)
            throw new EndpointFaultException(detail?.Endpoint ?? pool.Name, FaultOf(response, body, detail));
        using var json = OpenAIBatchJson.Parse(body);
        var answer = new OpenAIBatchAnswer((int)response.StatusCode, json.RootElement.Clone());
        var usage = UsageOf(json.RootElement);
        return (detail?.Answer<OpenAIBatchAnswer>([answer]) ?? new CallAnswer<OpenAIBatchAnswer> { Results = [answer] }) with { InputTokens = CallDetails.Plausible(usage.Input) ?? detail?.InputTokens, OutputTokens = CallDetails.Plausible(usage.Output) ?? detail?.OutputTokens ?? OutputOf(address, usage.Input) };
    }

    public override byte[] Write(OpenAIBatchAnswer result) => JsonSerializer.SerializeToUtf8Bytes(result, OpenAIBatchJson.Default.OpenAIBatchAnswer);

    public override OpenAIBatchAnswer Read(ReadOnlyMemory<byte> bytes) => JsonSerializer.Deserialize(bytes.Span, OpenAIBatchJson.Default.OpenAIBatchAnswer)!;

    private async ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception) when (exception.InnerException is EndpointPoolException)
        {
            throw exception.InnerException;
        }
    }

    // The files contain paths from the root of OpenAI's host. If the pool's origin already contains the start of this path, that part is not repeated.
    private Uri AddressOf(string url)
    {
        var origin = pool.Origin;
        var own = origin.AbsolutePath.TrimEnd('/');
        return own.Length > 0 && url.StartsWith(own + "/", StringComparison.Ordinal) ? new Uri(origin, url) : new Uri(origin.GetLeftPart(UriPartial.Authority) + own + "/" + url.TrimStart('/'));
    }

    // The fault becomes the reason that the batch stores. A server may write the credential in the place of its error code, and only the pool knows the
    // credential. So the code stays only if the pool has kept it too.
    private static Fault FaultOf(HttpResponseMessage response, byte[] body, CallDetail? detail)
    {
        var evidence = new FaultEvidence { StatusCode = (int)response.StatusCode, Headers = response.Headers, Body = body };
        var fault = FaultClassifier.Default.Classify(in evidence) ?? new Fault(FaultKind.Unknown) { StatusCode = (int)response.StatusCode };
        return detail?.Attempts.Any(attempt => attempt.Fault?.Code == fault.Code) == true ? fault : fault with { Code = null };
    }

    private static (long? Input, long? Output) UsageOf(JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("usage", out var usage) || usage.ValueKind != JsonValueKind.Object)
            return default;
        return (NumberOf(usage, "prompt_tokens") ?? NumberOf(usage, "input_tokens"), NumberOf(usage, "completion_tokens") ?? NumberOf(usage, "output_tokens"));
    }

    // The answers of these paths have no output tokens, so their servers report none.
    private static long? OutputOf(Uri address, long? input) =>
        input is not null && s_withoutOutput.Any(path => address.AbsolutePath.EndsWith(path, StringComparison.Ordinal)) ? 0 : null;

    // Null for a member that is missing or is no whole number: some servers write null.
    private static long? NumberOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}
