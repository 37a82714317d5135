using System.Buffers;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>Holds the answer to a probe's request.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Fault">The fault; null only for a success.</param>
/// <param name="Body">The beginning of the body.</param>
internal readonly record struct ProbeAnswer(int Status, Fault? Fault, ReadOnlyMemory<byte> Body);

/// <summary>Sends a probe's request with the endpoint's own headers and credential, and classifies the answer like the answer to a call.</summary>
internal static class ProbeHttp
{
    private const int FirstRead = 4096;
    private const int ClassifiedBytes = 64 * 1024;

    /// <summary>Gets the address of the given path on the endpoint's host.</summary>
    public static Uri OnHost(PoolEndpoint endpoint, string path) =>
        new(Address(endpoint).GetLeftPart(UriPartial.Authority) + (path.StartsWith('/') ? path : "/" + path), UriKind.Absolute);

    /// <summary>Gets the address of the given path below the endpoint's address, as an SDK would append it.</summary>
    public static Uri BelowAddress(PoolEndpoint endpoint, string path)
    {
        var address = Address(endpoint);
        return new Uri(address.GetLeftPart(UriPartial.Path).TrimEnd('/') + path + address.Query, UriKind.Absolute);
    }

    /// <summary>Gets the path of the endpoint's address, without a slash at its end.</summary>
    public static string FolderOf(PoolEndpoint endpoint) => Address(endpoint).AbsolutePath.TrimEnd('/');

    public static async ValueTask<ProbeAnswer> SendAsync(
        ProbeContext context, HttpMessageInvoker? http, HttpRequestMessage request, int maxBytes, CancellationToken cancellationToken)
    {
        var endpoint = context.Endpoint;
        var secret = await context.AddCredentialAsync(request, cancellationToken).ConfigureAwait(false);
        if (DialectTable.Get(endpoint.Dialect).RequiredHeader is { } required && !request.Headers.Contains(required.Name))
            request.Headers.TryAddWithoutValidation(required.Name, required.Value);
        using var response = await (http ?? context.Http).SendAsync(request, cancellationToken).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        var body = await ReadAsync(response.Content, maxBytes, cancellationToken).ConfigureAwait(false);
        if (status is >= 200 and < 300)
            return new ProbeAnswer(status, null, body);
        var evidence = new FaultEvidence
        {
            StatusCode = status,
            Headers = response.Headers,
            Body = body.Length > ClassifiedBytes ? body[..ClassifiedBytes] : body,
            Dialect = endpoint.Dialect,
            Now = context.Time.GetUtcNow(),
        };
        var fault = context.Classifier.Classify(in evidence) ?? new Fault(FaultKind.Unknown) { StatusCode = status };
        return new ProbeAnswer(status, endpoint.WithoutOwnSecret(fault, secret), body);
    }

    // The rest of the body is not read here. The handler reads a small rest, and otherwise closes the connection.
    private static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = stream.ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(FirstRead, maxBytes));
        var length = 0;
        try
        {
            while (length < maxBytes)
            {
                if (length == buffer.Length)
                    Grow(ref buffer);
                var read = await stream.ReadAsync(buffer.AsMemory(length, Math.Min(buffer.Length, maxBytes) - length), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    break;
                length += read;
            }
            return length == 0 ? default : buffer.AsSpan(0, length).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Grow(ref byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private static Uri Address(PoolEndpoint endpoint) =>
        endpoint.Address ?? throw new InvalidOperationException($"Endpoint '{endpoint.Name}' has no address to ask.");
}
