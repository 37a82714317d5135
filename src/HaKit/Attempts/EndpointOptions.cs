using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Limits;

namespace HaKit;

/// <summary>Describes one endpoint in code or in configuration. Not thread-safe; the pool reads it once.</summary>
public sealed class EndpointOptions
{
    /// <summary>
    /// Gets or sets the name: unique within the pool without regard to case, 1 to 256 characters, no control characters. Logs, metrics and orders use it.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// Gets or sets the absolute http or https address: the base address that you would give to an SDK for this endpoint alone, for example
    /// <c>https://api.openai.com/v1</c>. An endpoint with a <see cref="Client"/> needs no address. An endpoint without an address gets no calls over HTTP.
    /// Default: none.
    /// </summary>
    public string? Address { get; set; }

    /// <summary>
    /// Gets or sets the object that serves this endpoint instead of an address, such as an SDK's client. The documentation of each adapter package lists the
    /// supported types. The pool does not dispose this object. Default: none. The property can be set only in code, because configuration cannot contain an
    /// object.
    /// </summary>
    public object? Client { get; set; }

    /// <summary>Gets or sets the tier; lower tiers are used first. Default 0; at least 0.</summary>
    public int Tier { get; set; }

    /// <summary>Gets or sets the relative share of the traffic within the tier. Default 1; 0.000001 to 1,000,000.</summary>
    public double Weight { get; set; } = 1;

    /// <summary>Gets or sets the zone in which the endpoint runs. Default: none.</summary>
    public string? Zone { get; set; }

    /// <summary>Gets or sets the account that is billed. An exhausted quota affects all endpoints of the same account. Default: none.</summary>
    public string? Account { get; set; }

    /// <summary>
    /// Gets or sets a name for the credential, never the credential itself. A refused key affects all endpoints with the same <see cref="KeyName"/>. Default:
    /// none.
    /// </summary>
    public string? KeyName { get; set; }

    /// <summary>Gets or sets the provider's region. A call whose attempt failed prefers an endpoint in another region. Default: none.</summary>
    public string? Region { get; set; }

    /// <summary>
    /// Gets or sets the company or server that runs the model. A call whose attempt failed prefers an endpoint of another provider. Default: none.
    /// </summary>
    public string? Provider { get; set; }

    /// <summary>
    /// Gets or sets the model or deployment. It replaces the caller's model name in each request. Default: none; the caller's model name is sent.
    /// </summary>
    public string? Model { get; set; }

    /// <summary>
    /// Gets or sets the wire format. Default: errors are recognised from the answers, and the host of the address determines the header of the credential.
    /// </summary>
    public WireDialect Dialect { get; set; }

    /// <summary>
    /// Gets or sets how the endpoint continues an answer that was cut on another endpoint. Default null: <see cref="HaKit.Continuation.AssistantPrefix"/> for
    /// the Mistral dialect, and <see cref="HaKit.Continuation.None"/> for all other dialects. With the other dialects, some models can continue an answer and
    /// other models cannot.
    /// </summary>
    public Continuation? Continuation { get; set; }

    /// <summary>
    /// Gets or sets the message that asks the model for the rest of the answer, in your own words and in the language of your answers. Required for <see
    /// cref="HaKit.Continuation.Instruction"/>. Default: none.
    /// </summary>
    public string? ContinuationInstruction { get; set; }

    /// <summary>
    /// Gets or sets whether the model repeats the last words of the delivered text before it continues the answer. If true, a repetition of at least 16
    /// characters is removed. Default false.
    /// </summary>
    public bool RepeatsTail { get; set; }

    /// <summary>Gets or sets the largest sum of input and output tokens; more than 0. Default: not known.</summary>
    public int? ContextWindow { get; set; }

    /// <summary>Gets or sets the legal region in which the data stays. Default: none.</summary>
    public string? Residency { get; set; }

    /// <summary>Gets or sets whether the endpoint can call tools. Default true.</summary>
    public bool Tools { get; set; } = true;

    /// <summary>Gets or sets whether the endpoint can read images. Default true.</summary>
    public bool Vision { get; set; } = true;

    /// <summary>Gets or sets tags: names of any other properties that a request may require. Default: none.</summary>
    public IList<string> Tags { get; set; } = [];

    /// <summary>Gets or sets the endpoint's limits. Default: none.</summary>
    public LimitOptions? Limits { get; set; }

    /// <summary>
    /// Gets or sets the price of one million input tokens, in any currency; all endpoints of the pool use the same currency. Default 0; 0 to
    /// 1,000,000,000.
    /// </summary>
    public double InputTokenPrice { get; set; }

    /// <summary>Gets or sets the price of one million output tokens, in the currency of <see cref="InputTokenPrice"/>. Default 0; 0 to 1,000,000,000.</summary>
    public double OutputTokenPrice { get; set; }

    /// <summary>
    /// Gets or sets the headers that are added to each request. These headers may contain credentials, and replace the caller's headers of the same name.
    /// Default: none.
    /// </summary>
    public IDictionary<string, string> Headers { get; set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Gets or sets the credential for calls and heartbeats over HTTP. The credential goes to the header that the dialect uses (<c>Authorization: Bearer</c>,
    /// <c>api-key</c>, <c>x-api-key</c>, <c>x-goog-api-key</c>). If <see cref="Dialect"/> is not set, the hosts of Anthropic, Gemini and Azure OpenAI get the
    /// credential in the header of the provider. A value that begins with <c>Bearer</c> goes to <c>Authorization</c> unchanged. The credential replaces every
    /// credential of the caller, and is never printed. Default null: the endpoint uses a credential in <see cref="Headers"/> or in the address. If neither has
    /// a credential, the endpoint gets the caller's credential, but only if <see cref="ForwardCallerCredential"/> allows this. A credential from <see
    /// cref="EndpointPoolParts.Credential"/> replaces this value.
    /// </summary>
    public string? Credential { get; set; }

    /// <summary>
    /// Gets or sets whether the caller's credentials (the SDK's key, cookies, <c>?key=</c>) go to this endpoint if the endpoint has no credential of its own.
    /// Default null: <see cref="HttpOptions.ForwardCallerCredential"/> applies. If that setting is null too, the caller's credentials go only to the server of
    /// the pool's origin.
    /// </summary>
    public bool? ForwardCallerCredential { get; set; }

    /// <summary>
    /// Gets or sets the time limit of one attempt; more than 0 and not longer than the deadline. Default: <see cref="EndpointPoolOptions.AttemptTimeout"/>.
    /// </summary>
    public TimeoutOptions? AttemptTimeout { get; set; }

    /// <summary>Gets or sets the path for HTTP heartbeats, relative to the host. Default: the path in <see cref="EndpointPoolOptions.Heartbeat"/>.</summary>
    public string? HealthPath { get; set; }

    /// <summary>
    /// Gets or sets whether code or service discovery added the endpoint while the pool ran. A reload of the configuration does not remove such an endpoint.
    /// </summary>
    internal bool IsAdded { get; set; }

    /// <summary>Creates a copy that later changes of this object do not affect. Both objects refer to the same client object.</summary>
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

    // With these limits, sums and ratios of weights stay finite and above zero, and the prices of all tokens stay finite.
    private const double SmallestWeight = 0.000001, LargestWeight = 1_000_000, HighestPrice = 1_000_000_000;

    internal IEnumerable<string> Validate(string path)
    {
        string[] mistakes = [.. CheckIdentity(path), .. CheckNumbers(path), .. EndpointLabels.FindMistakes(path, this), .. EndpointSecrets.FindMistakes(path, this), .. CheckHeaders(path)];
        return mistakes.Select(mistake => WithoutKey(WithoutKey(mistake, Name), Model));
    }

    // The messages quote the name and the model. A key that was put there by mistake must not get into them.
    private static string WithoutKey(string mistake, string? label) =>
        label is not null && ShownText.HasWordLikeKey(label) ? mistake.Replace(label, ShownText.OfLabel(label), StringComparison.Ordinal) : mistake;

    private IEnumerable<string> CheckIdentity(string path)
    {
        if (string.IsNullOrWhiteSpace(Name))
            yield return $"{path}:Name is '{Name}': an endpoint needs a name. Set {path[(path.LastIndexOf(' ') + 1)..]}:Name.";
        else if (Name.Length > 256 || Name.Any(char.IsControl))
            yield return $"{path}:Name has {Name.Length} characters: at most 256 characters without control characters are needed.";
        if (Address is not null && EndpointAddress.FindMistake(Address) is { } mistake)
            yield return $"{path}:Address of '{Name}' {mistake}";
        if (Address is not null && EndpointAddress.FindForeignDialect(Dialect, Address) is { } foreign)
            yield return $"{path}:Dialect of '{Name}' {foreign}";
        if (HeartbeatPath.FindMistake(HealthPath) is { } wrongPath)
            yield return $"{path}:HealthPath of '{Name}' {wrongPath}";
    }

    private IEnumerable<string> CheckNumbers(string path)
    {
        if (Tier < 0)
            yield return $"{path}:Tier of '{Name}' is {Tier}: at least 0 is needed.";
        if (SettingRange.Find($"{path}:Weight of '{Name}'", Weight, SmallestWeight, LargestWeight) is { } weight)
            yield return weight;
        if (!Enum.IsDefined(Dialect))
            yield return $"{path}:Dialect of '{Name}' is {(int)Dialect}: one of {string.Join(", ", Enum.GetNames<WireDialect>())} is needed.";
        if (Continuation is { } continuation && !Enum.IsDefined(continuation))
            yield return $"{path}:Continuation of '{Name}' is {(int)continuation}: one of {string.Join(", ", Enum.GetNames<Continuation>())} is needed.";
        if (Continuation == HaKit.Continuation.Instruction && string.IsNullOrWhiteSpace(ContinuationInstruction))
            yield return $"{path}:Continuation of '{Name}' is Instruction, and ContinuationInstruction is empty: the message that asks for the rest is needed.";
        if (ContextWindow is <= 0)
            yield return $"{path}:ContextWindow of '{Name}' is {ContextWindow}: more than 0 is needed.";
        if (SettingRange.Find($"{path}:InputTokenPrice of '{Name}'", InputTokenPrice, 0, HighestPrice) is { } input)
            yield return input;
        if (SettingRange.Find($"{path}:OutputTokenPrice of '{Name}'", OutputTokenPrice, 0, HighestPrice) is { } output)
            yield return output;
        if (AttemptTimeout is { Timeout: var timeout } && SettingRange.FindAboveZero($"{path}:AttemptTimeout:Timeout of '{Name}'", timeout) is { } attempt)
            yield return attempt;
    }

    // The content of a request sets its own headers, and the pool does not replace them.
    private static readonly HashSet<string> s_ofContent =
        new(StringComparer.OrdinalIgnoreCase) { "Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Content-Language", "Content-Location", "Content-MD5", "Content-Range", "Transfer-Encoding" };

    // A header must not contain a character that could end it early.
    private IEnumerable<string> CheckHeaders(string path)
    {
        foreach (var (header, value) in Headers)
        {
            if (!RequestHeader.CanBeSent(header, value))
                yield return $"{path}:Headers of '{Name}' has a header{EndpointSecrets.ShownHeader(header)} with characters that cannot be sent: letters, digits and hyphens are possible in its name, and ASCII without control characters in its value.";
            else if (s_ofContent.Contains(header))
                yield return $"{path}:Headers of '{Name}' has the header '{header}', which the content of each request sets itself. Remove it from Headers.";
        }
    }
}
