using System.Globalization;
using System.Net;
using System.Xml.Linq;

namespace HaKit.Continuity;

/// <summary>
/// Stores objects in a container of Azure Blob Storage, through its SAS address (permissions: read, add, create, list, delete). A header <c>If-None-Match:
/// *</c> prevents the replacement of an existing object. The address is a credential and is never printed. Thread-safe.
/// </summary>
public sealed class AzureBlobDestination : IVaultDestination
{
    private const string Version = "2021-12-02";

    private readonly HttpClient _http;
    private readonly string _container;
    private readonly string _sas;

    /// <summary>Creates the destination.</summary>
    /// <param name="sasAddress">The container's address with its SAS query: <c>https://account.blob.core.windows.net/container?sv=…</c>.</param>
    /// <param name="http">The sender of the requests; it is not disposed.</param>
    /// <exception cref="ArgumentException">The address is not absolute or has no SAS query.</exception>
    public AzureBlobDestination(Uri sasAddress, HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(sasAddress);
        ArgumentNullException.ThrowIfNull(http);
        if (!sasAddress.IsAbsoluteUri || sasAddress.Query.Length < 2)
            throw new ArgumentException("A container's absolute address with its SAS query is needed.", nameof(sasAddress));
        (_http, _container, _sas) = (http, sasAddress.GetLeftPart(UriPartial.Path).TrimEnd('/'), sasAddress.Query[1..]);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Put, $"{_container}/{name}?{_sas}");
        request.Headers.TryAddWithoutValidation("x-ms-blob-type", "BlockBlob");
        request.Headers.TryAddWithoutValidation("If-None-Match", "*");
        request.Content = new ReadOnlyMemoryContent(content);
        using var answer = await _http.SendAsync(request, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.PreconditionFailed || IsThere(answer))
            return false;
        ThrowUnlessServed(answer);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, $"{_container}/{name}?{_sas}");
        using var answer = await _http.SendAsync(request, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return null;
        ThrowUnlessServed(answer);
        return await answer.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        var marker = "";
        do
        {
            var query = string.Create(CultureInfo.InvariantCulture, $"restype=container&comp=list&prefix={Uri.EscapeDataString(prefix)}&marker={Uri.EscapeDataString(marker)}");
            using var request = Request(HttpMethod.Get, $"{_container}?{query}&{_sas}");
            using var answer = await _http.SendAsync(request, cancellationToken);
            ThrowUnlessServed(answer);
            var page = XDocument.Parse(await answer.Content.ReadAsStringAsync(cancellationToken));
            names.AddRange(page.Descendants("Blob").Select(b => b.Element("Name")!.Value));
            marker = page.Root!.Element("NextMarker")?.Value ?? "";
        }
        while (marker.Length > 0);
        return names;
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, $"{_container}/{name}?{_sas}");
        using var answer = await _http.SendAsync(request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.NotFound)
            ThrowUnlessServed(answer);
    }

    private static HttpRequestMessage Request(HttpMethod method, string address)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.TryAddWithoutValidation("x-ms-version", Version);
        return request;
    }

    // 409 can also mean that the container is being deleted, or that the account is disabled.
    private static bool IsThere(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.Conflict && answer.Headers.TryGetValues("x-ms-error-code", out var code) && code.Contains("BlobAlreadyExists");

    // The message contains the status and no part of the address, which is a credential.
    private static void ThrowUnlessServed(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"The blob container answered {(int)answer.StatusCode}.", null, answer.StatusCode);
    }
}
