using System.Text;

namespace HaKit.Dialects;

/// <summary>The names under which an answer reports its tokens. Immutable.</summary>
/// <param name="Container">The member of the root that holds them; empty for the root itself.</param>
/// <param name="Input">Tokens of the prompt.</param>
/// <param name="Output">Tokens of the answer.</param>
internal sealed record UsageNames(string Container, string Input, string Output)
{
    /// <summary>Tokens of the prompt that came from the provider's cache; null if the provider does not tell.</summary>
    public string? Cached { get; init; }

    /// <summary>The member that holds <see cref="Cached"/>; null if it lies beside the others.</summary>
    public string? Details { get; init; }

    /// <summary>Tokens of the prompt that were written into the provider's cache; null if the provider does not tell. Where it is set, <see cref="Input"/> holds neither these nor the cached ones.</summary>
    public string? Written { get; init; }
}

/// <summary>What a member of a usage object tells.</summary>
internal enum UsageMember
{
    /// <summary>Nothing that is counted here.</summary>
    Other,

    /// <summary>Tokens of the prompt.</summary>
    Input,

    /// <summary>Tokens of the answer.</summary>
    Output,

    /// <summary>Tokens of the prompt that came from the provider's cache.</summary>
    Cached,

    /// <summary>An object that holds the cached tokens.</summary>
    Details,

    /// <summary>Tokens of the prompt without those that are told beside them.</summary>
    InputWithoutCache,

    /// <summary>Tokens of the prompt that came from the provider's cache, beside the input.</summary>
    CachedBeside,

    /// <summary>Tokens of the prompt that were written into the provider's cache, beside the input.</summary>
    Written,
}

/// <summary>The names of usage in all dialects at once, because a gateway may pass on an answer in the words of another provider. Pure; allocates nothing.</summary>
internal static class UsageWords
{
    private static readonly byte[][] s_containers = [.. DialectTable.Usages.Select(static u => u.Container).Where(static c => c.Length > 0).Distinct().Select(Encoding.UTF8.GetBytes)];

    private static readonly (byte[] Name, UsageMember Member)[] s_members = [.. DialectTable.Usages.SelectMany(MembersOf).DistinctBy(static m => m.Name).Select(static m => (Encoding.UTF8.GetBytes(m.Name), m.Member))];

    private static readonly byte[][] s_cachedInDetails = [.. DialectTable.Usages.Where(static u => u.Details is not null).Select(static u => u.Cached!).Distinct().Select(Encoding.UTF8.GetBytes)];

    private static readonly byte[][] s_marks = [.. s_containers.Select(static name => (byte[])[(byte)'"', .. name, (byte)'"', (byte)':'])];

    private static readonly byte[][] s_atRoot = [.. DialectTable.Usages.Where(static u => u.Container.Length == 0).Select(static u => Encoding.UTF8.GetBytes(u.Output))];

    private static readonly byte[][] s_marksAtRoot = [.. s_atRoot.Select(static name => (byte[])[(byte)'"', .. name, (byte)'"', (byte)':'])];

    /// <summary>Where the object begins that holds the usage of an event; -1 if the event tells none.</summary>
    /// <param name="json">The data of the event, without space before it.</param>
    public static int FindObject(ReadOnlySpan<byte> json)
    {
        foreach (var mark in s_marks)
        {
            if (json.LastIndexOf(mark) is >= 0 and var at)
            {
                var value = json[(at + mark.Length)..].TrimStart((byte)' ');
                return value is [(byte)'{', ..] ? json.Length - value.Length : -1;
            }
        }
        foreach (var mark in s_marksAtRoot)
        {
            if (json.IndexOf(mark) >= 0)
                return 0;
        }
        return -1;
    }

    /// <summary>Is it a member of the root that tells that the root itself holds the usage?</summary>
    /// <param name="name">The member's name.</param>
    public static bool IsAtRoot(ReadOnlySpan<byte> name) => IsOneOf(name, s_atRoot);

    /// <summary>Is it the member of the root that holds the usage?</summary>
    /// <param name="name">The member's name.</param>
    public static bool IsContainer(ReadOnlySpan<byte> name) => IsOneOf(name, s_containers);

    /// <summary>Is it the member of <see cref="UsageMember.Details"/> that tells the cached tokens?</summary>
    /// <param name="name">The member's name.</param>
    public static bool IsCachedInDetails(ReadOnlySpan<byte> name) => IsOneOf(name, s_cachedInDetails);

    /// <summary>What a member of the usage tells.</summary>
    /// <param name="name">The member's name, without escapes.</param>
    public static UsageMember MeaningOf(ReadOnlySpan<byte> name)
    {
        foreach (var (known, member) in s_members)
        {
            if (name.SequenceEqual(known))
                return member;
        }
        return UsageMember.Other;
    }

    private static bool IsOneOf(ReadOnlySpan<byte> name, byte[][] names)
    {
        foreach (var known in names)
        {
            if (name.SequenceEqual(known))
                return true;
        }
        return false;
    }

    private static IEnumerable<(string Name, UsageMember Member)> MembersOf(UsageNames names)
    {
        yield return (names.Input, names.Written is null ? UsageMember.Input : UsageMember.InputWithoutCache);
        yield return (names.Output, UsageMember.Output);
        if (names.Details is { } details)
            yield return (details, UsageMember.Details);
        else if (names.Cached is { } cached)
            yield return (cached, names.Written is null ? UsageMember.Cached : UsageMember.CachedBeside);
        if (names.Written is { } written)
            yield return (written, UsageMember.Written);
    }
}
