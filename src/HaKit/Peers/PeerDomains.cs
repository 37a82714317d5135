using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Peers;

/// <summary>
/// Names what facts are about without telling it: keyed hashes of addresses, credentials and models. A key that differs gives another name, so the old
/// key of a rotation cools nothing that uses the new one.
/// </summary>
internal sealed class PeerDomains(string key)
{
    private readonly ConditionalWeakTable<EndpointState, Named> _named = [];
    private readonly byte[] _key = SHA256.HashData(Encoding.UTF8.GetBytes("hakit domains 1 " + key));

    /// <summary>The name of what a fault of the given reach on the endpoint concerns.</summary>
    public string Subject(EndpointState member, FaultReach reach)
    {
        var endpoint = member.Endpoint;
        var domains = endpoint.Domains;
        var credential = CredentialOf(member);
        // What is absent is shared with no other endpoint: then the fault concerns this one alone.
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

    /// <summary>The name of a limit, which belongs to an endpoint or to an account whatever its keys are.</summary>
    public string LimitSubject(string of, string name) => Hash("limit of", of, name);

    /// <summary>How this replica asks the endpoint: opinions of replicas that ask otherwise say nothing about what this one would find.</summary>
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

    private static string? CredentialOf(EndpointState member)
    {
        if (member.UsedCredential is { } used)
            return used;
        if (member.Endpoint.Credential is { } credential)
            return credential;
        foreach (var (header, value) in member.Endpoint.Headers)
        {
            if (CredentialHeader.IsCredential(header))
                return value;
        }

        return null;
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

/// <summary>The limits of an attempt that decide what a replica finds.</summary>
internal readonly record struct EndpointPoolLimits(TimeSpan? Attempt, TimeSpan FirstContent, TimeSpan Connect);
