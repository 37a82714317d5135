using System.Text.Json.Serialization;
using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Faults;
using HaKit.Limits;

namespace HaKit;

/// <summary>
/// Describes one endpoint of a pool: an address or a client object that can answer requests, with its tier, its failure domains and its capabilities. The name
/// identifies the endpoint; a reload may change all other properties. The address, the health path and the client may contain a key and are left out of JSON.
/// Immutable; safe to share between threads.
/// </summary>
public sealed record PoolEndpoint
{
    private const int ShortestSecret = 8;

    internal PoolEndpoint(EndpointOptions options)
    {
        Name = options.Name;
        Address = options.Address is null ? null : new Uri(options.Address, UriKind.Absolute);
        Client = options.Client;
        Tier = options.Tier;
        Weight = options.Weight;
        Zone = options.Zone;
        Domains = new FailureDomains
        {
            Account = options.Account,
            KeyName = options.KeyName,
            Region = options.Region,
            Provider = options.Provider,
            Model = options.Model,
        };
        Dialect = options.Dialect;
        CredentialHost = ProviderHosts.FindForCredential(Dialect, Address);
        Capabilities = new EndpointCapabilities(options);
        Limits = options.Limits;
        InputTokenPrice = options.InputTokenPrice;
        OutputTokenPrice = options.OutputTokenPrice;
        Headers = options.Headers.Count == 0 ? EmptyHeaders : new Dictionary<string, string>(options.Headers, StringComparer.OrdinalIgnoreCase);
        Credential = options.Credential;
        ForwardCallerCredential = options.ForwardCallerCredential;
        AttemptTimeout = options.AttemptTimeout?.Timeout;
        HealthPath = options.HealthPath;
        Continuation = DeclaredContinuation.Get(options);
        LimitsCountCachedTokens = DialectTable.Get(options.Dialect).LimitsCountCachedTokens;
        ContinuationInstruction = options.ContinuationInstruction;
        RepeatsTail = options.RepeatsTail;
        RepeatsBeginning = Continuation == Continuation.AssistantPrefix
            && (DialectTable.Get(options.Dialect).RepeatsBeginning || ChatContinuation.IsAt(Address?.Host, "mistral.ai"));
    }

    private static readonly Dictionary<string, string> EmptyHeaders = [];

    /// <summary>Gets the name, unique within the pool. Logs, metrics and the dashboard show it.</summary>
    public string Name { get; }

    /// <summary>Gets the base address, as you would give it to an SDK that uses only this endpoint. Null for an endpoint that a client object serves.</summary>
    [JsonIgnore]
    public Uri? Address { get; }

    /// <summary>Gets the object that serves the endpoint instead of an address. Null for an endpoint with an address.</summary>
    [JsonIgnore]
    public object? Client { get; }

    /// <summary>Gets the tier. Lower tiers are used first; standbys have higher numbers. Default 0.</summary>
    public int Tier { get; }

    /// <summary>Gets the relative share of the traffic within the tier. Default 1.</summary>
    public double Weight { get; }

    /// <summary>Gets the zone in which the endpoint runs. Null: not known.</summary>
    public string? Zone { get; }

    /// <summary>Gets the failure domains: the account, key, region, provider and model that the endpoint may share with other endpoints.</summary>
    public FailureDomains Domains { get; }

    /// <summary>Gets the wire format.</summary>
    public WireDialect Dialect { get; }

    /// <summary>Gets the host that determines the header of the credential. Null: the dialect determines it.</summary>
    internal ProviderHost? CredentialHost { get; }

    /// <summary>Gets whether the account's limits count prompt tokens that came from the provider's cache.</summary>
    internal bool LimitsCountCachedTokens { get; }

    /// <summary>Gets the capabilities of the endpoint.</summary>
    public EndpointCapabilities Capabilities { get; }

    /// <summary>Gets the endpoint's limits. Null: none known.</summary>
    public LimitOptions? Limits { get; private init; }

    /// <summary>Gets the price of one million input tokens, in any currency; all endpoints of the pool use the same currency. Default 0.</summary>
    public double InputTokenPrice { get; }

    /// <summary>Gets the price of one million output tokens, in the currency of <see cref="InputTokenPrice"/>. Default 0.</summary>
    public double OutputTokenPrice { get; }

    /// <summary>Gets the endpoint's own time limit of one attempt. Null: the pool's limit applies.</summary>
    public TimeSpan? AttemptTimeout { get; }

    /// <summary>Gets how the endpoint continues an answer that was cut on another endpoint.</summary>
    public Continuation Continuation { get; }

    /// <summary>Gets the message that asks the model for the rest of the answer, for <see cref="HaKit.Continuation.Instruction"/>. Null: none.</summary>
    public string? ContinuationInstruction { get; }

    /// <summary>Gets whether the model repeats the last words of the delivered text before it continues the answer. Default false.</summary>
    public bool RepeatsTail { get; }

    /// <summary>Gets whether the endpoint sends all of the delivered text again before it continues the answer.</summary>
    internal bool RepeatsBeginning { get; }

    /// <summary>
    /// Checks whether both endpoints have the same stored objects: conversations, responses, files, batches and reasoning. Endpoints of one account in one region
    /// share them. Without an account, an endpoint shares them only with itself, until a reload gives its name to another server.
    /// </summary>
    /// <param name="other">The other endpoint, of the same pool, possibly from before a reload.</param>
    /// <exception cref="ArgumentNullException"><paramref name="other"/> is null.</exception>
    public bool SharesStoredStateWith(PoolEndpoint other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return string.Equals(Domains.Region, other.Domains.Region, StringComparison.Ordinal)
            && (Domains.Shares(other.Domains, FaultReach.Account)
                || Name == other.Name && Domains.Account is null && other.Domains.Account is null && Address?.Authority == other.Address?.Authority);
    }

    /// <summary>
    /// Creates the seam between an answer that was cut and the rest that this endpoint gives. The seam removes the delivered text that the endpoint repeats: the
    /// last words if <see cref="RepeatsTail"/> is true, or all of it for a Mistral endpoint that continues an assistant message (<see
    /// cref="HaKit.Continuation.AssistantPrefix"/>).
    /// </summary>
    /// <param name="delivered">All delivered text.</param>
    public AnswerSeam CreateSeam(string delivered) => new(delivered, RepeatsTail, RepeatsBeginning);

    /// <summary>Gets the path for HTTP heartbeats, relative to the address's host. Null: the pool's path.</summary>
    [JsonIgnore]
    public string? HealthPath { get; }

    /// <summary>Gets additional request headers. They may contain credentials, so they are never printed.</summary>
    internal IReadOnlyDictionary<string, string> Headers { get; private init; }

    /// <summary>Gets the endpoint's credential. It is never printed.</summary>
    internal string? Credential { get; }

    /// <summary>Gets whether callers' credentials go to the endpoint. Null: the pool's setting applies.</summary>
    internal bool? ForwardCallerCredential { get; }

    /// <summary>Checks whether both endpoints are equal in everything, including headers and limits.</summary>
    internal bool IsAlike(PoolEndpoint other) =>
        (this with { Headers = other.Headers, Limits = other.Limits }) == other
        && Headers.Count == other.Headers.Count && Headers.All(h => other.Headers.TryGetValue(h.Key, out var value) && value == h.Value)
        && (Limits is null ? other.Limits is null : other.Limits is { } limits && Limits.IsAlike(limits));

    /// <summary>
    /// Removes the code of a fault if the code occurs in the endpoint's headers, credential or address, because the server has then quoted a secret.
    /// </summary>
    /// <param name="fault">The fault.</param>
    /// <param name="used">The credential that the request was sent with, if <see cref="EndpointPoolParts.Credential"/> returned it. Null: none.</param>
    internal Fault WithoutOwnSecret(Fault fault, string? used = null) =>
        fault.Code is { Length: > 0 } code && (used?.Contains(code, StringComparison.OrdinalIgnoreCase) == true || Sends(code)) ? fault with { Code = null } : fault;

    /// <summary>
    /// Checks whether a text of the server quotes one of the endpoint's own headers or its credential, if the quoted value is long enough to be a secret.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="used">The credential that the request was sent with, if <see cref="EndpointPoolParts.Credential"/> returned it. Null: none.</param>
    internal bool HasOwnSecret(string text, string? used) => Headers.Values.Append(Credential ?? "").Append(used ?? "").SelectMany(static value => value.Split(' '))
        .Any(word => word.Length >= ShortestSecret && text.Contains(word, StringComparison.OrdinalIgnoreCase));

    private bool Sends(string code) => Headers.Values.Any(value => value.Contains(code, StringComparison.OrdinalIgnoreCase))
        || Credential?.Contains(code, StringComparison.OrdinalIgnoreCase) == true
        || Address is { } address && $"{address.UserInfo} {address.Query}".Contains(code, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the name only, because headers may contain credentials.</summary>
    public override string ToString() => Name;
}

/// <summary>Describes the capabilities of an endpoint: the requests that it can serve. Immutable.</summary>
public sealed record EndpointCapabilities
{
    internal EndpointCapabilities(EndpointOptions options)
    {
        ContextWindow = options.ContextWindow;
        Residency = options.Residency;
        Tools = options.Tools;
        Vision = options.Vision;
        Tags = NameList.CopyOf(options.Tags.AsReadOnly());
    }

    /// <summary>Gets the largest sum of input and output tokens. Null: not known; any request is then admitted.</summary>
    public int? ContextWindow { get; }

    /// <summary>
    /// Gets the legal region in which the data stays, for example <c>eu</c>. Null: not known; only requests without this requirement are admitted.
    /// </summary>
    public string? Residency { get; }

    /// <summary>Gets whether the endpoint can call tools. Default true.</summary>
    public bool Tools { get; }

    /// <summary>Gets whether the endpoint can read images. Default true.</summary>
    public bool Vision { get; }

    /// <summary>Gets the tags: names of any other properties that a request may require. They are compared by ordinal value.</summary>
    public IReadOnlyList<string> Tags { get; }
}
