using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Peers;

/// <summary>
/// Creates names for the subjects of facts. The names are keyed hashes of addresses, credentials and models, and do not reveal them. A different credential
/// gives a different name. So during a rotation, a cooldown of the old key does not affect endpoints that use the new key.
/// </summary>
internal sealed class PeerDomains(string key)
{
    private readonly ConditionalWeakTable<EndpointState, Named> _named = [];
    private readonly byte[] _key = SHA256.HashData(Encoding.UTF8.GetBytes("hakit domains 1 " + key));

    /// <summary>Gets the name of the failure domain that a fault of the given reach on the endpoint affects.</summary>
    public string Subject(EndpointState member, FaultReach reach)
    {
        var endpoint = member.Endpoint;
        var domains = endpoint.Domains;
        var credential = CredentialOf(member);
        // A missing domain is shared with no other endpoint, so the fault affects this endpoint only.
        return reach switch
        {
            FaultReach.Key when (credential ?? domains.KeyName) is { } name => Hash("key", domains.Provider, name),
            FaultReach.Account when (credential ?? domains.Account) is { } name => Hash("account", domains.Provider, name),
            FaultReach.RateLimit when (credential ?? domains.Account) is { } name => Hash("limit", domains.Provider, name, domains.Model, domains.Region),
            FaultReach.Model when domains.Model is { } model => Hash("model", domains.Provider, model),
            FaultReach.Region when domains.Region is { } region => Hash("region", domains.Provider, region),
            FaultReach.Provider when domains.Provider is { } provider => Hash("provider", provider),
            _ => Hash("endpoint", endpoint.Name, endpoint.Address?.AbsoluteUri, domains.Model, credential),
        };
    }

    /// <summary>Gets the name of a limit. A limit belongs to an endpoint or an account, whichever keys are used.</summary>
    public string LimitSubject(string of, string name) => Hash("limit of", of, name);

    /// <summary>
    /// Gets a fingerprint of the endpoint's name, and of the address, model, credential and time limits with which this replica calls the endpoint. Opinions of
    /// replicas with another fingerprint do not count.
    /// </summary>
    public string Fingerprint(EndpointState member, EndpointPoolLimits limits)
    {
        var credential = CredentialOf(member);
        if (_named.TryGetValue(member, out var known) && ReferenceEquals(known.Endpoint, member.Endpoint) && known.Credential == credential && known.Limits == limits)
            return known.Fingerprint;
        var fingerprint = Hash(
            "fingerprint", member.Endpoint.Name, member.Endpoint.Address?.AbsoluteUri, member.Endpoint.Domains.Model, credential,
            Number(member.Endpoint.AttemptTimeout ?? limits.Attempt), Number(limits.FirstContent), Number(limits.Connect));
        _named.AddOrUpdate(member, new Named(member.Endpoint, credential, limits, fingerprint));
        return fingerprint;
    }

    private static string? Number(TimeSpan? time) => time?.Ticks.ToString(CultureInfo.InvariantCulture);

    // An endpoint may have several credentials, for example the token of a gateway in one header and the provider's key in another header. All of them count,
    // because a provider limits two endpoints separately if they differ in any credential. The query of the address counts too, because the query may contain a
    // credential (?key=… or ?sig=…).
    private static string? CredentialOf(EndpointState member)
    {
        var endpoint = member.Endpoint;
        string? found = member.UsedCredential ?? endpoint.Credential;
        foreach (var value in endpoint.Headers.Where(static h => CredentialHeader.IsCredential(h.Key)).OrderBy(static h => h.Key, StringComparer.OrdinalIgnoreCase).Select(static h => h.Value))
        {
            if (value != found)
                found = found is null ? value : $"{found.Length}:{found}{value}";
        }

        return found ?? (endpoint.Address is { } address && address.UserInfo + address.Query is { Length: > 0 } inAddress ? inAddress : null);
    }

    private string Hash(params ReadOnlySpan<string?> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
            text.Append(part is null ? "-" : part.Length.ToString(CultureInfo.InvariantCulture)).Append(':').Append(part);
        return Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 12));
    }

    private sealed record Named(PoolEndpoint Endpoint, string? Credential, EndpointPoolLimits Limits, string Fingerprint);
}

/// <summary>Holds the time limits of an attempt that can affect a replica's opinion.</summary>
internal readonly record struct EndpointPoolLimits(TimeSpan? Attempt, TimeSpan FirstContent, TimeSpan Connect);
