using System.Text.Json.Serialization;
using HaKit.Dialects;
using HaKit.Faults;
using HaKit.Limits;

namespace HaKit;

/// <summary>
/// Represents the immutable identity of one place that can answer. Two endpoints are the same place when they have the same name; a reload may change
/// everything else. Address, health path and client may contain a key and are left out of JSON. Safe to share between threads.
/// </summary>
public sealed record PoolEndpoint
{
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
        Capabilities = new EndpointCapabilities(options);
        Limits = options.Limits;
        InputTokenPrice = options.InputTokenPrice;
        OutputTokenPrice = options.OutputTokenPrice;
        Headers = options.Headers.Count == 0 ? EmptyHeaders : new Dictionary<string, string>(options.Headers, StringComparer.OrdinalIgnoreCase);
        Credential = options.Credential;
        ForwardCallerCredential = options.ForwardCallerCredential;
        AttemptTimeout = options.AttemptTimeout?.Timeout;
        HealthPath = options.HealthPath;
        Continuation = options.Continuation ?? DialectTable.Get(options.Dialect).Continuation;
        LimitsCountCachedTokens = DialectTable.Get(options.Dialect).LimitsCountCachedTokens;
        ContinuationInstruction = options.ContinuationInstruction;
        RepeatsTail = options.RepeatsTail;
        RepeatsBeginning = Continuation == Continuation.AssistantPrefix
            && (DialectTable.Get(options.Dialect).RepeatsBeginning || ChatContinuation.IsAt(Address?.Host, "mistral.ai"));
    }

    private static readonly Dictionary<string, string> EmptyHeaders = [];

    /// <summary>Gets the name, unique within the pool. Logs, metrics and the dashboard show it.</summary>
    public string Name { get; }

    /// <summary>Gets the base address that an SDK would get for this endpoint alone. Null for an endpoint that a client object serves.</summary>
    [JsonIgnore]
    public Uri? Address { get; }

    /// <summary>Gets the object that serves the endpoint instead of an address. Null for an endpoint with an address.</summary>
    [JsonIgnore]
    public object? Client { get; }

    /// <summary>Gets the tier. Lower tiers are used first; standbys have higher numbers. Default 0.</summary>
    public int Tier { get; }

    /// <summary>Gets the relative share of the traffic within the tier. Default 1.</summary>
    public double Weight { get; }

    /// <summary>Gets the zone in which the endpoint runs.</summary>
    public string? Zone { get; }

    /// <summary>Gets the failure domains: what the endpoint shares with other endpoints and can lose together with them.</summary>
    public FailureDomains Domains { get; }

    /// <summary>Gets the wire format.</summary>
    public WireDialect Dialect { get; }

    /// <summary>Gets whether the account's limits count prompt tokens that came from the provider's cache.</summary>
    internal bool LimitsCountCachedTokens { get; }

    /// <summary>What it is able to serve.</summary>
    public EndpointCapabilities Capabilities { get; private init; }

    /// <summary>Its limits, or <see langword="null"/> for none known.</summary>
    public LimitOptions? Limits { get; private init; }

    /// <summary>Price of one million input tokens, in any currency, the same for the whole pool. Default 0.</summary>
    public double InputTokenPrice { get; }

    /// <summary>Price of one million output tokens. Default 0.</summary>
    public double OutputTokenPrice { get; }

    /// <summary>The endpoint's own bound on one attempt, or <see langword="null"/> for the pool's.</summary>
    public TimeSpan? AttemptTimeout { get; }

    /// <summary>How it goes on from the beginning of an answer.</summary>
    public Continuation Continuation { get; }

    /// <summary>The message that asks for the rest, for <see cref="HaKit.Continuation.Instruction"/>; <see langword="null"/> for none.</summary>
    public string? ContinuationInstruction { get; }

    /// <summary>Does its model repeat the last words of a beginning?</summary>
    public bool RepeatsTail { get; }

    /// <summary>Does its answer begin with the beginning that it was given?</summary>
    internal bool RepeatsBeginning { get; }

    /// <summary>
    /// Prepares the seam between an answer that was cut and the rest of it that this endpoint gives. What the endpoint repeats is dropped: its last words where
    /// <see cref="RepeatsTail"/> is set; of a Mistral endpoint the whole beginning, with which it begins its answer.
    /// </summary>
    /// <param name="delivered">All text that was delivered.</param>
    public AnswerSeam CreateSeam(string delivered) => new(delivered, RepeatsTail, RepeatsBeginning);

    /// <summary>The path, relative to the address's host, that an HTTP heartbeat asks; <see langword="null"/> for the pool's.</summary>
    [JsonIgnore]
    public string? HealthPath { get; }

    /// <summary>Extra request headers. May hold credentials, so it is never printed.</summary>
    internal IReadOnlyDictionary<string, string> Headers { get; private init; }

    /// <summary>What it is asked with; never printed.</summary>
    internal string? Credential { get; }

    /// <summary>Gets whether callers' credentials go to it; null to leave that to the pool.</summary>
    internal bool? ForwardCallerCredential { get; }

    /// <summary>Equal in everything, headers and limits included?</summary>
    internal bool IsAlike(PoolEndpoint other) =>
        (this with { Capabilities = other.Capabilities, Headers = other.Headers, Limits = other.Limits }) == other
        && Capabilities with { Tags = other.Capabilities.Tags } == other.Capabilities && Capabilities.Tags.SequenceEqual(other.Capabilities.Tags, StringComparer.Ordinal)
        && Headers.Count == other.Headers.Count && Headers.All(h => other.Headers.TryGetValue(h.Key, out var value) && value == h.Value)
        && (Limits is null ? other.Limits is null : other.Limits is { } limits && Limits.IsAlike(limits));

    /// <summary>The name alone: headers may hold credentials.</summary>
    public override string ToString() => Name;
}

/// <summary>What an endpoint is able to serve. Immutable.</summary>
public sealed record EndpointCapabilities
{
    internal EndpointCapabilities(EndpointOptions options)
    {
        ContextWindow = options.ContextWindow;
        Residency = options.Residency;
        Tools = options.Tools;
        Vision = options.Vision;
        Tags = options.Tags.Count == 0 ? [] : [.. options.Tags];
    }

    /// <summary>Largest sum of input and output tokens; <see langword="null"/> when not known, which admits any request.</summary>
    public int? ContextWindow { get; }

    /// <summary>The legal region the data stays in, for example <c>eu</c>.</summary>
    public string? Residency { get; }

    /// <summary>Can it call tools? Default true.</summary>
    public bool Tools { get; }

    /// <summary>Can it see images? Default true.</summary>
    public bool Vision { get; }

    /// <summary>Anything else a request may require, compared by ordinal value.</summary>
    public IReadOnlyList<string> Tags { get; internal init; }
}
