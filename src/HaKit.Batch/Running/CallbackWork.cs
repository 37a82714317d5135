using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace HaKit.Batch.Running;

/// <summary>Runs a callback of the application over a pool.</summary>
internal sealed class CallbackWork<TItem, TResult>(
    EndpointPool pool, Func<EndpointAttempt, TItem, CancellationToken, ValueTask<TResult>> callback, string? version, JsonTypeInfo<TResult> resultType) : BatchWork<TItem, TResult>
{
    private readonly byte[] _version = Encoding.UTF8.GetBytes(version ?? "");

    public override EndpointPool? Pool => pool;

    public override RequestFingerprint FingerprintOf(TItem item, ReadOnlyMemory<byte> input) => RequestFingerprint.Compute(input.Span, _version);

    public override PreparedCall<TResult> Prepare(IReadOnlyList<TItem> items) => new([(0, 0)], (profile, token) => CallAsync(items[0], profile, token));

    private async ValueTask<CallAnswer<TResult>> CallAsync(TItem item, RequestProfile profile, CancellationToken cancellationToken)
    {
        var (result, detail) = await pool.ExecuteWithDetailAsync(
            profile, (callback, Item: item), static (attempt, state, token) => state.callback(attempt, state.Item, token), cancellationToken).ConfigureAwait(false);
        return detail.Answer<TResult>([result]);
    }

    public override byte[] Write(TResult result) => JsonSerializer.SerializeToUtf8Bytes(result, resultType);

    public override TResult Read(ReadOnlyMemory<byte> bytes) => JsonSerializer.Deserialize(bytes.Span, resultType)!;
}
