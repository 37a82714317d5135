using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Estimates;
using Microsoft.Extensions.Logging;

namespace HaKit.Http;

/// <summary>
/// Holds the HTTP state of a pool for all its handlers: the addresses of its endpoints, stored objects, refusals, and the warnings that were logged.
/// Thread-safe.
/// </summary>
internal sealed partial class HttpPoolState(EndpointPool pool)
{
    // The pool itself does not depend on HTTP. So the HTTP state is attached to the pool here, and is created when it is first needed.
    private static readonly ConditionalWeakTable<EndpointPool, HttpPoolState> s_all = [];

    private readonly ConditionalWeakTable<PoolEndpoint, HttpTarget> _targets = [];
    private readonly ConditionalWeakTable<HttpRequestMessage, object> _failed = [];
    private readonly HttpRoutes _routes = new();

    /// <summary>Gets the ids of stored objects, such as responses, conversations and files, each with the endpoint that created the object.</summary>
    public StoredIds Ids { get; } = new(pool.Time);

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);
    private readonly ILogger _logger = pool.Owners.NewLogger("HaKit.Http");

    /// <summary>Gets the counts of answers in no known dialect (the wire format of a provider).</summary>
    public UnknownShapes UnknownShapes { get; } = new(pool.Name, pool.Owners.NewLogger("HaKit.Http"));

    /// <summary>Gets the record of the request features that endpoints refuse and other endpoints serve.</summary>
    public RefusedKinds RefusedKinds { get; } = new(pool.Time);

    /// <summary>Gets the credentials that were refused.</summary>
    public RefusedCredentials RefusedCredentials => field ?? Interlocked.CompareExchange(ref field, new RefusedCredentials(pool, this), null) ?? field;

    private AddedNames _names = new([], CredentialNames.Default);
    private Addressed? _addressed;
    private TokenLimit? _tokenLimit;
    private int _warnedOfRetries;
    private PoolSnapshot? _comparedModels;

    public static HttpPoolState Get(EndpointPool pool) => s_all.GetValue(pool, static pool => new HttpPoolState(pool));

    // The target is stored for the endpoint. A reload may keep the endpoint but change which headers and parameters are credentials. Then the target is replaced.
    public HttpTarget TargetOf(PoolEndpoint endpoint) =>
        _targets.TryGetValue(endpoint, out var target) && ReferenceEquals(target.Names, Names) ? target : NewTarget(endpoint);

    /// <summary>Gets the names of headers and parameters with credentials. The same object until a reload changes the names.</summary>
    private CredentialNames Names
    {
        get
        {
            var (added, known) = (pool.Options.Http.CredentialNames, _names);
            if (!ReferenceEquals(added, known.Added))
                _names = known = new(added, added.SequenceEqual(known.Added, StringComparer.Ordinal) ? known.Names : new CredentialNames(added));
            return known.Names;
        }
    }

    /// <summary>
    /// Logs a warning about each probable mistake: an endpoint that gets no credential (neither its own nor the caller's), a doubtful address, and endpoints
    /// with the same address. Each warning is logged once, when the pool gets its first HTTP client or when its members change.
    /// </summary>
    public void WarnOfMistakes()
    {
        WarnOfTwins(pool.Engine.Snapshot.Members);
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            foreach (var warning in AddressWarnings.Find(member.Endpoint))
            {
                if (_warned.TryAdd($"{warning} of {member.Endpoint.Name}", true))
                    AddressWarnings.Write(_logger, pool.Name, member.Endpoint.Name, warning);
            }
        }
        if (pool.Owners.Credentials.HasSource)
            return;
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            if (member.Endpoint is { Address: not null, ForwardCallerCredential: null } endpoint && TargetOf(endpoint) is { HasCredential: false } target
                && !target.TakesCallersCredential(null, pool.Options.Http.ForwardCallerCredential) && pool.Options.Http.ForwardCallerCredential is null && _warned.TryAdd(endpoint.Name, true))
            {
                NoCredential(_logger, pool.Name, endpoint.Name, HttpTarget.ServerOf(pool.Origin));
            }
        }
    }

    /// <summary>Gets the route of an address that a caller requests.</summary>
    /// <exception cref="InvalidOperationException">The address is not under the pool's origin.</exception>
    public HttpRoute RouteOf(Uri requested) => _routes.GetRoute(requested, pool.Origin);

    /// <summary>Gets whether an endpoint or an account of the pool has a limit on tokens.</summary>
    public bool HasTokenLimit
    {
        get
        {
            var (options, known) = (pool.Options, _tokenLimit);
            if (known?.Of != options)
            {
                _tokenLimit = known = new TokenLimit(options, options.HasTokenLimit());
            }
            return known.IsSet;
        }
    }

    /// <summary>Excludes endpoints without an address from an HTTP call. Such endpoints have client objects for other calls, which is not a mistake.</summary>
    /// <exception cref="InvalidOperationException">None of the pool's endpoints has an address.</exception>
    public RequestProfile LimitToAddressed(RequestProfile profile)
    {
        var addressed = _addressed;
        if (addressed?.Of != pool.Engine.Snapshot)
            _addressed = addressed = AddressedNow();
        if (addressed.Names is not { } names)
            return profile;
        if (names.Count == 0 && addressed.Of.Members.Length > 0)
            throw new InvalidOperationException($"Pool '{pool.Name}': none of its endpoints has an address, so it cannot be called over HTTP.");
        // If the profile names endpoints, it is not changed, even if some of these endpoints have no address. If none of them can be called, the exception of
        // the call says so.
        return profile.Endpoints.Count > 0 ? profile : profile with { Endpoints = names };
    }

    private Addressed AddressedNow()
    {
        var snapshot = pool.Engine.Snapshot;
        var members = snapshot.Members;
        WarnOfMistakes();
        // The list is an immutable array, because a profile copies a list of any other kind.
        var names = members.Where(m => m.Endpoint.Address is not null).Select(m => m.Endpoint.Name).ToImmutableArray();
        return new(snapshot, names.Length == members.Length ? null : names);
    }

    // Endpoints with the same address, failure domains, credential and dialect count as several endpoints, but fail together.
    private void WarnOfTwins(IReadOnlyList<EndpointState> members)
    {
        foreach (var twins in members.Select(m => m.Endpoint).Where(e => e.Address is not null).GroupBy(e => (PlaceOf(e.Address!), e.Domains, e.Credential, e.Dialect)))
        {
            if (twins.Count() > 1 && twins.All(e => e.Headers.Count == 0) && string.Join("', '", twins.Select(e => e.Name)) is var names && _warned.TryAdd(names, true))
                SameAddress(_logger, pool.Name, names);
        }
    }

    // A slash at the end makes no difference.
    private static string PlaceOf(Uri address) => address.GetLeftPart(UriPartial.Path).TrimEnd('/') + address.Query;

    /// <summary>Records that the call of this message failed. If the same message comes again, this record shows that a handler outside the pool retries it.</summary>
    public void RecordFailed(HttpRequestMessage request)
    {
        if (Volatile.Read(ref _warnedOfRetries) == 0)
            _failed.AddOrUpdate(request, this);
    }

    /// <summary>Warns once if an outer handler retries requests that the pool has already retried.</summary>
    public void WarnOfRetries(HttpRequestMessage request)
    {
        if (Volatile.Read(ref _warnedOfRetries) != 0)
            return;
        var isRetry = request.Headers.NonValidated.TryGetValues("x-stainless-retry-count", out var count) && count.ToString() is not ("" or "0")
            || _failed.TryGetValue(request, out _);
        if (isRetry && Interlocked.Exchange(ref _warnedOfRetries, 1) == 0)
            RetriedFromAbove(_logger, pool.Name);
    }

    /// <summary>
    /// Warns if the endpoints have different models. The method is called for each request for embeddings. Vectors of different models cannot be compared, and
    /// over HTTP no vector is checked. Warns at most once for the same models.
    /// </summary>
    public void WarnOfVectors()
    {
        var snapshot = pool.Engine.Snapshot;
        if (ReferenceEquals(_comparedModels, snapshot))
            return;
        _comparedModels = snapshot; // two threads may compare the models at the same time; the warning is still logged once
        var models = snapshot.Members.Select(static m => m.Endpoint).Where(static e => e.Address is not null).GroupBy(static e => e.Domains.Model ?? "the caller's model", StringComparer.Ordinal)
            .Select(static g => $"{g.Key} at '{g.First().Name}'").ToArray();
        if (models.Length > 1 && string.Join(", ", models) is var list && _warned.TryAdd(list, true))
            DifferentVectors(_logger, pool.Name, list);
    }

    /// <summary>
    /// Warns once for each endpoint that does not serve a path at which answers are created. The usual cause is a missing part of the endpoint's address.
    /// </summary>
    public void WarnOfNotServed(PoolEndpoint endpoint, int status, HttpMethod method, string path)
    {
        if (!TargetOf(endpoint).TryTakeNotServedWarning())
            return;
        if (FindRepeated(endpoint.Address, path) is { } part)
            AddressRepeated(_logger, pool.Name, endpoint.Name, status, method.Method, path, part);
        else
            AddressIncomplete(_logger, pool.Name, endpoint.Name, status, method.Method, path);
    }

    // Finds the part that the address and the path repeat, as in …/v1 and /v1/messages: the last part of the address is the first part of the request's path.
    private static string? FindRepeated(Uri? address, string path)
    {
        var last = address?.AbsolutePath.TrimEnd('/').Split('/')[^1];
        return last is { Length: > 0 } && path.TrimStart('/').Split('/')[0] == last ? "/" + last : null;
    }

    private HttpTarget NewTarget(PoolEndpoint endpoint)
    {
        var target = new HttpTarget(endpoint, pool.Origin, Names);
        if (!_targets.TryAdd(endpoint, target))
            _targets.AddOrUpdate(endpoint, target);
        else if (endpoint.Address is { Scheme: "http", IsLoopback: false } && !pool.Options.Http.AllowPlainHttp)
            PlainHttp(_logger, pool.Name, endpoint.Name);
        return target;
    }

    /// <param name="Added">The list of added names in the options. If the options have another list, this record is out of date.</param>
    /// <param name="Names">All names.</param>
    private sealed record AddedNames(IList<string> Added, CredentialNames Names);

    /// <param name="Of">The snapshot whose endpoints are listed. If the pool has another snapshot, this record is out of date.</param>
    /// <param name="Names">The endpoints with an address. Null: all.</param>
    private sealed record Addressed(PoolSnapshot Of, IReadOnlyList<string>? Names);

    /// <param name="Of">The options that contain the limits. If the pool has other options, this record is out of date.</param>
    /// <param name="IsSet">True if an endpoint or an account has a limit on tokens.</param>
    private sealed record TokenLimit(EndpointPoolOptions Of, bool IsSet);

    /// <summary>Warns once for each endpoint that does not have a requested model, because it cannot serve requests for this model.</summary>
    public void WarnOfMissingModel(PoolEndpoint endpoint, int status)
    {
        if (TargetOf(endpoint).TryTakeModelWarning())
            NoModel(_logger, pool.Name, endpoint.Name, status, endpoint.Domains.Model ?? "that the request names");
    }

    [LoggerMessage(74, LogLevel.Warning, "Pool {Pool}: a request for embeddings can get vectors of different models: {Models}. Such vectors cannot be compared. Use a pool of its own for embeddings, with one model at all endpoints. Ignore this warning if the names belong to the same model.")]
    private static partial void DifferentVectors(ILogger logger, string pool, string models);

    [LoggerMessage(17, LogLevel.Warning, "Pool {Pool}: endpoint '{Endpoint}' answers {Status}: it does not have the model {Model}, so it cannot serve requests for that model. Set Model of the endpoint to a name (at Azure: a deployment) that it has.")]
    private static partial void NoModel(ILogger logger, string pool, string endpoint, int status, string model);

    [LoggerMessage(25, LogLevel.Warning, "Pool {Pool}: endpoint '{Endpoint}' answers {Status} to {Method} {Path}. Its Address ends with '{Part}', and the SDK adds '{Part}' again. Remove it from the Address.")]
    private static partial void AddressRepeated(ILogger logger, string pool, string endpoint, int status, string method, string path, string part);

    [LoggerMessage(15, LogLevel.Warning, "Pool {Pool}: endpoint '{Endpoint}' answers {Status} to {Method} {Path}. Its Address may be incomplete: many addresses end with /v1.")]
    private static partial void AddressIncomplete(ILogger logger, string pool, string endpoint, int status, string method, string path);

    [LoggerMessage(19, LogLevel.Warning, "Pool {Pool}: the endpoints '{Endpoints}' have the same address, model, key and account. The pool counts them as several endpoints, but they fail together. Keep one of them, or give each an address, a Model or a KeyName of its own.")]
    private static partial void SameAddress(ILogger logger, string pool, string endpoints);

    [LoggerMessage(13, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} has no credential of its own, and the caller's credential goes only to {Origin}. Set Credential or call UseCredential. If the endpoint is to get the caller's credential, set ForwardCallerCredential to true. If it needs no credential, set ForwardCallerCredential to false; this warning then ends.")]
    private static partial void NoCredential(ILogger logger, string pool, string endpoint, string origin);

    [LoggerMessage(10, LogLevel.Warning, "Pool {Pool}: the code above the pool repeats a request. The pool already retries, and the retries multiply. Switch off the retries of the SDK (OpenAI: UseHaEndpointPool; Anthropic: MaxRetries = 0), or of the handler outside the pool.")]
    private static partial void RetriedFromAbove(ILogger logger, string pool);

    [LoggerMessage(11, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} is reached over plain http, so prompts and credentials can be read on the way. Give it an https address. If the network on the way is your own, set Http:AllowPlainHttp to silence this warning.")]
    private static partial void PlainHttp(ILogger logger, string pool, string endpoint);
}
