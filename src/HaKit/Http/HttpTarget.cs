using System.Text.Json;
using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Estimates;

namespace HaKit.Http;

/// <summary>Holds the data that turns a caller's request into a request to one endpoint, computed once. Thread-safe.</summary>
internal sealed class HttpTarget
{
    private static readonly UriCreationOptions s_asIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly PoolEndpoint _endpoint;
    private readonly Uri _address;
    private readonly string _server;
    private readonly string _path;
    private readonly Uri _origin;
    private int _notServed;
    private int _modelMissing;

    public HttpTarget(PoolEndpoint endpoint, Uri origin, CredentialNames names)
    {
        (_origin, Names) = (origin, names);
        _endpoint = endpoint;
        _address = endpoint.Address ?? throw new NotSupportedException($"Endpoint '{endpoint.Name}' has no address, so it cannot be called over HTTP.");
        _server = ServerOf(_address);
        _path = _address.AbsolutePath.TrimEnd('/');
        Model = endpoint.Domains.Model is { } model ? new ModelName(model) : null;
        WantsModel = endpoint.Domains.Model is null && HasPlace;
        HasCredential = endpoint.Credential is not null || endpoint.Headers.Keys.Any(names.IsHeader) || names.IsIn(_address.Query);
        IsOnOrigin = IsSameServer(_address, origin);
    }

    /// <summary>Gets whether the endpoint has a credential of its own, in its options, its headers or its address.</summary>
    public bool HasCredential { get; }

    /// <summary>Gets the names of the headers and parameters that carry a credential.</summary>
    public CredentialNames Names { get; }

    /// <summary>Gets whether the endpoint is on the server of the pool's origin, which callers use as their base address.</summary>
    public bool IsOnOrigin { get; }

    /// <summary>
    /// Gets whether the caller's model goes into the endpoint's address: the address has a place for it, and the endpoint has no model of its own.
    /// </summary>
    public bool WantsModel { get; }

    /// <summary>Returns true only once, so that the warning about a path that the endpoint does not serve is logged only once.</summary>
    public bool TryTakeNotServedWarning() => Interlocked.Exchange(ref _notServed, 1) == 0;

    /// <summary>Returns true only once, so that the warning about a model that the endpoint does not have is logged only once.</summary>
    public bool TryTakeModelWarning() => Interlocked.Exchange(ref _modelMissing, 1) == 0;

    private bool HasPlace => _path.Contains("%7Bmodel%7D", StringComparison.OrdinalIgnoreCase);

    /// <summary>Gets the model's name. Null: the caller's model stays.</summary>
    public ModelName? Model { get; }

    /// <summary>Checks whether the endpoint accepts the member <c>prompt_cache_key</c> in a request.</summary>
    /// <param name="path">The request's path after the origin.</param>
    public bool TakesPromptCacheKey(string path) => DialectTable.Get(_endpoint.Dialect).TakesPromptCacheKey(_path + path);

    /// <summary>Checks whether the caller's credentials may be sent to the endpoint.</summary>
    /// <param name="secret">The current credential of the endpoint. Null: none, but its headers or its address may contain one.</param>
    /// <param name="byPool">The pool's setting for all its endpoints. Null: the caller's credentials go only to the server of the origin.</param>
    public bool TakesCallersCredential(string? secret, bool? byPool) =>
        secret is null && !HasCredential && (_endpoint.ForwardCallerCredential ?? byPool ?? IsOnOrigin);

    /// <summary>
    /// Gets the address of the request to the endpoint. The endpoint's address replaces the origin's prefix, and the endpoint's own model replaces the model in the
    /// path. The rest of the path stays unchanged, including escapes. The caller's query comes first, without credentials unless <paramref name="withCredential"/> is
    /// true. The query of the endpoint's address is appended to it.
    /// </summary>
    /// <param name="requested">The caller's address, under the origin.</param>
    /// <param name="model">The model's name in the request, for an address with a place for it.</param>
    /// <param name="withCredential">True if the credentials in the caller's query are sent too.</param>
    public Uri AddressFor(Uri requested, string? model, bool withCredential)
    {
        var own = _endpoint.Domains.Model ?? model;
        var rest = requested.AbsolutePath[_origin.AbsolutePath.TrimEnd('/').Length..];
        if (_endpoint.Domains.Model is { } name)
            rest = DialectTable.WithModel(rest, name);
        // The address may contain a place for the model, as at Azure: …/openai/deployments/{model}?api-version=…
        var folder = own is null || !HasPlace ? _path : _path.Replace("%7Bmodel%7D", Uri.EscapeDataString(own), StringComparison.OrdinalIgnoreCase);
        var asked = withCredential ? requested.Query : Names.Without(requested.Query);
        return new Uri(string.Concat(_server, folder, rest, WithOwnQuery(asked)), s_asIs);
    }

    private string WithOwnQuery(string asked)
    {
        if (_address.Query.Length < 2)
            return asked;
        return asked.Length < 2 ? _address.Query : asked + "&" + _address.Query[1..];
    }

    /// <summary>
    /// Throws for a request to another server, or to another part of the origin's server, because it must not be sent to the pool's endpoints.
    /// </summary>
    /// <exception cref="InvalidOperationException">The address belongs to another server, or is outside the origin's path.</exception>
    public static void ThrowIfForeign(Uri requested, Uri origin)
    {
        if (!IsSameServer(requested, origin))
            throw new InvalidOperationException($"The request goes to {ServerOf(requested)}, but the pool's origin is {ServerOf(origin)}: give the client the pool's Origin as its base address.");
        var folder = origin.AbsolutePath.TrimEnd('/');
        var path = requested.AbsolutePath;
        if (!path.StartsWith(folder, StringComparison.Ordinal) || path.Length > folder.Length && path[folder.Length] != '/' || ClimbsOut(path))
            throw new InvalidOperationException($"The request's path is outside the pool's origin {origin.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)}: give the client the pool's Origin as its base address, and paths below it. A path that begins with '/' starts at the root of the server: leave that '/' out. A base address ends with '/': without it, the last part of its path is lost.");
    }

    // The runtime resolves ".." between slashes, but it keeps the dots before an escaped slash ("..%2f"), and it keeps all dots in an address that was made
    // with DangerousDisablePathAndQueryCanonicalization. The server may interpret such dots.
    private static bool ClimbsOut(string path) =>
        (path.Contains("..", StringComparison.Ordinal) || path.Contains("%2e", StringComparison.OrdinalIgnoreCase)) && Uri.UnescapeDataString(path).Split('/', '\\').Contains("..");

    /// <summary>
    /// Copies the caller's headers and adds the endpoint's own headers, which replace headers of the same name. The caller's credentials are copied only if
    /// <paramref name="withCredential"/> is true. If there is a <paramref name="secret"/>, it is added, and the endpoint's own headers with the usual names of
    /// credentials (<see cref="CredentialNames.Default"/>) are left out.
    /// </summary>
    /// <param name="from">The caller's request.</param>
    /// <param name="to">The request to send.</param>
    /// <param name="secret">The current credential of the endpoint. Null: none, but its headers may contain one.</param>
    /// <param name="withCredential">True if the caller's credentials are sent too.</param>
    public void CopyHeaders(HttpRequestMessage from, HttpRequestMessage to, string? secret, bool withCredential)
    {
        var theirs = from.Headers.NonValidated;
        if (secret is null && theirs.Count == 0 && _endpoint.Headers.Count == 0)
            return;
        var ours = secret is null ? default : CredentialHeader.HeaderFor(_endpoint, secret, to.RequestUri);
        foreach (var (name, values) in theirs)
        {
            if (!_endpoint.Headers.ContainsKey(name) && !IsNotForwarded(name) && (withCredential || !Names.IsHeader(name)))
                to.Headers.AddAsIs(name, values);
        }

        foreach (var (name, value) in _endpoint.Headers)
        {
            if (secret is null || !CredentialHeader.IsCredential(name))
                to.Headers.TryAddWithoutValidation(name, value);
        }

        if (secret is not null && !to.Headers.TryAddWithoutValidation(ours.Name, ours.Value))
            throw new InvalidOperationException($"The credential of endpoint '{_endpoint.Name}' {CredentialHeader.HasImpossibleCharacters}");
    }

    // These headers of the caller are not sent. The connections set Accept-Encoding to the encodings that they can decode, because the pool could not determine
    // whether an answer in another encoding is complete.
    private static bool IsNotForwarded(string name) =>
        name.Equals("Host", StringComparison.OrdinalIgnoreCase) || name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase) || ProfileHeaders.Is(name);

    /// <summary>Checks whether both addresses are on the same server.</summary>
    public static bool IsSameServer(Uri one, Uri other) =>
        one.Port == other.Port && one.Scheme == other.Scheme && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Gets scheme, host and port, without user and password.</summary>
    public static string ServerOf(Uri address) => address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
}

/// <summary>Holds a model's name in the forms in which bodies contain it.</summary>
internal sealed class ModelName(string name)
{
    /// <summary>Gets the name in JSON, with its quotes.</summary>
    public byte[] Json { get; } = JsonSerializer.SerializeToUtf8Bytes(name, HttpJson.Default.String);

    /// <summary>Gets the name in UTF-8 without quotes, as an HTML form contains it.</summary>
    public byte[] Plain { get; } = System.Text.Encoding.UTF8.GetBytes(name);

    /// <summary>Reads the name from a body. Null if it is not a text.</summary>
    /// <param name="json">The member's value.</param>
    public static string? ReadFrom(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            return reader.Read() ? reader.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            return null; // not a string, or not valid UTF-8
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class HttpJson : System.Text.Json.Serialization.JsonSerializerContext;
