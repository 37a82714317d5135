using System.Buffers;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Limits;

namespace HaKit;

/// <summary>One endpoint as it is written in code or in configuration. Not thread-safe; read once when the pool takes it.</summary>
public sealed class EndpointOptions
{
    /// <summary>Unique, non-empty name within the pool.</summary>
    public string Name { get; set; } = "";

    /// <summary>Absolute http or https address: the base that an SDK would be given, for example <c>https://api.openai.com/v1</c>. Not needed for an endpoint that a client object serves.</summary>
    public string? Address { get; set; }

    /// <summary>
    /// The object that serves this endpoint in the place of an address, such as an SDK's client; an adapter package says of what types it can make use.
    /// Not disposed of by the pool. Default none. Code only: configuration cannot hold it.
    /// </summary>
    public object? Client { get; set; }

    /// <summary>Lower tiers first. Default 0; at least 0.</summary>
    public int Tier { get; set; }

    /// <summary>Relative share of traffic within the tier. Default 1; more than 0.</summary>
    public double Weight { get; set; } = 1;

    /// <summary>Where it is.</summary>
    public string? Zone { get; set; }

    /// <summary>The account that is billed.</summary>
    public string? Account { get; set; }

    /// <summary>A name for its credential, never the credential.</summary>
    public string? KeyName { get; set; }

    /// <summary>The provider's region.</summary>
    public string? Region { get; set; }

    /// <summary>The company or server that runs the model.</summary>
    public string? Provider { get; set; }

    /// <summary>The model or deployment served; sent instead of the caller's model name when set.</summary>
    public string? Model { get; set; }

    /// <summary>The wire format. Default: recognised from the answers.</summary>
    public WireDialect Dialect { get; set; }

    /// <summary>
    /// How it goes on from the beginning of an answer that another endpoint's cut left unfinished. Default null: as the dialect says, which is
    /// <see cref="HaKit.Continuation.AssistantPrefix"/> for Mistral and <see cref="HaKit.Continuation.None"/> for all others, where it depends on the model.
    /// </summary>
    public Continuation? Continuation { get; set; }

    /// <summary>
    /// The message that asks for the rest, in your own wording and the language of your answers; needed for <see cref="HaKit.Continuation.Instruction"/>. Default
    /// none.
    /// </summary>
    public string? ContinuationInstruction { get; set; }

    /// <summary>Does its model repeat the last words of a beginning before it goes on? Then a repetition of at least 16 characters is dropped. Default false.</summary>
    public bool RepeatsTail { get; set; }

    /// <summary>Largest sum of input and output tokens; more than 0 when set.</summary>
    public int? ContextWindow { get; set; }

    /// <summary>The legal region the data stays in.</summary>
    public string? Residency { get; set; }

    /// <summary>Can it call tools? Default true.</summary>
    public bool Tools { get; set; } = true;

    /// <summary>Can it see images? Default true.</summary>
    public bool Vision { get; set; } = true;

    /// <summary>Anything else a request may require.</summary>
    public IList<string> Tags { get; set; } = [];

    /// <summary>Its limits; none by default.</summary>
    public LimitOptions? Limits { get; set; }

    /// <summary>Price of one million input tokens. Default 0; at least 0.</summary>
    public double InputTokenPrice { get; set; }

    /// <summary>Price of one million output tokens. Default 0; at least 0.</summary>
    public double OutputTokenPrice { get; set; }

    /// <summary>Headers added to each request, replacing the caller's of the same name; credentials among them.</summary>
    public IDictionary<string, string> Headers { get; set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Its credential over HTTP, for calls and heartbeats: goes where the dialect wants it (<c>Authorization: Bearer</c>, <c>api-key</c>, <c>x-api-key</c>,
    /// <c>x-goog-api-key</c>), or to <c>Authorization</c> as it is when it begins with <c>Bearer</c>, and replaces every credential of the caller's. Never
    /// printed. Default: the <see cref="Headers"/>, or else the caller's, if <see cref="ForwardCallerCredential"/> lets it pass.
    /// </summary>
    public string? Credential { get; set; }

    /// <summary>
    /// Gets or sets whether the caller's credentials (the key that an SDK was given, cookies, <c>?key=</c>) go to this endpoint when it has none of its own.
    /// Default null: as <see cref="HttpOptions.ForwardCallerCredential"/> says, and if that is null too, only to the server of the pool's origin.
    /// </summary>
    public bool? ForwardCallerCredential { get; set; }

    /// <summary>Bound on one attempt; the pool's when not set. More than 0 and not longer than the deadline.</summary>
    public TimeoutOptions? AttemptTimeout { get; set; }

    /// <summary>Path that an HTTP heartbeat asks, relative to the host; the pool's when not set.</summary>
    public string? HealthPath { get; set; }

    /// <summary>A copy that later changes of this one do not reach. The client stays the same object.</summary>
    /// <summary>Added by code or service discovery while the pool ran, so that a reload of the configuration does not take it out.</summary>
    internal bool IsAdded { get; set; }

    internal EndpointOptions Copy()
    {
        var copy = (EndpointOptions)MemberwiseClone();
        copy.Tags = [.. Tags ?? []];
        copy.Headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in Headers ?? new Dictionary<string, string>())
            copy.Headers[name] = value;
        copy.Limits = Limits?.Copy();
        copy.AttemptTimeout = AttemptTimeout?.Copy();
        return copy;
    }

    // RFC 9110, "token".
    private static readonly SearchValues<char> s_inHeaderNames = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    internal IEnumerable<string> Validate(string path) => [.. CheckIdentity(path), .. CheckNumbers(path), .. CheckWire(path)];

    private IEnumerable<string> CheckIdentity(string path)
    {
        if (string.IsNullOrWhiteSpace(Name))
            yield return $"{path}:Name is '{Name}': an endpoint needs a name.";
        else if (Name.Length > 256 || Name.Any(char.IsControl))
            yield return $"{path}:Name has {Name.Length} characters, or control characters among them: at most 256 characters, and none that a log would not show, are needed.";
        if (Address is not null && !IsAddress(Address))
            yield return $"{path}:Address of '{Name}' is '{ShownText.OfAddress(Address)}': an absolute http or https address is needed (or https+http, which service discovery resolves).";
    }

    private IEnumerable<string> CheckNumbers(string path)
    {
        if (Tier < 0)
            yield return $"{path}:Tier of '{Name}' is {Tier}: at least 0 is needed.";
        if (!(Weight > 0) || double.IsInfinity(Weight))
            yield return FormattableString.Invariant($"{path}:Weight of '{Name}' is {Weight}: a finite number above 0 is needed.");
        if (Continuation == HaKit.Continuation.Instruction && string.IsNullOrWhiteSpace(ContinuationInstruction))
            yield return $"{path}:Continuation of '{Name}' is Instruction, and ContinuationInstruction is empty: the message that asks for the rest is needed.";
        if (ContextWindow is <= 0)
            yield return $"{path}:ContextWindow of '{Name}' is {ContextWindow}: more than 0 is needed.";
        if (!(InputTokenPrice >= 0) || !(OutputTokenPrice >= 0))
            yield return FormattableString.Invariant($"{path}: the prices of '{Name}' are {InputTokenPrice} and {OutputTokenPrice}: at least 0 is needed.");
        if (AttemptTimeout is { Timeout: var timeout } && timeout <= TimeSpan.Zero)
            yield return $"{path}:AttemptTimeout:Timeout of '{Name}' is {timeout}: more than 0 is needed.";
    }

    // What would go into a header or a path: nothing that could end it early.
    private IEnumerable<string> CheckWire(string path)
    {
        if (Credential is not null && !CredentialHeader.IsValid(Credential))
            yield return $"{path}:Credential of '{Name}' has characters that no header may have.";
        if (Model?.Any(char.IsControl) == true)
            yield return $"{path}:Model of '{Name}' has characters that no name may have.";
        foreach (var (header, value) in Headers)
        {
            if (header.Length == 0 || header.AsSpan().ContainsAnyExcept(s_inHeaderNames) || value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                yield return $"{path}:Headers of '{Name}' has a header{ShownHeader(header)} with characters that cannot be sent: letters, digits and hyphens are possible in its name, and ASCII without control characters in its value.";
        }
    }

    private static string ShownHeader(string header)
    {
        var name = new string([.. header.Where(char.IsAsciiLetterOrDigit)]);
        return ShownText.IsName(name) ? $" '{name}'" : "";
    }

    /// <summary>Is it an absolute address over http or https, or one that service discovery resolves to such?</summary>
    internal static bool IsAddress(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "https+http" or "http+https";
}
