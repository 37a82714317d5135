using System.Text;

namespace HaKit.Dialects;

/// <summary>Contains the names of the members with which an answer reports its tokens. Immutable.</summary>
/// <param name="Container">The member of the root that contains them. Empty: the root itself.</param>
/// <param name="Input">The member for the tokens of the prompt.</param>
/// <param name="Output">The member for the tokens of the answer.</param>
internal sealed record UsageNames(string Container, string Input, string Output)
{
    /// <summary>Gets the member for prompt tokens that came from the provider's cache. Null if the provider does not report them.</summary>
    public string? Cached { get; init; }

    /// <summary>Gets the member that contains <see cref="Cached"/>. Null if it is beside the others.</summary>
    public string? Details { get; init; }

    /// <summary>
    /// Gets the member for prompt tokens that were written into the provider's cache. Null if the provider does not report them. If it is set, <see
    /// cref="Input"/> contains neither these tokens nor the cached ones.
    /// </summary>
    public string? Written { get; init; }

    /// <summary>Gets the member for further prompt tokens that <see cref="Input"/> does not contain. Null if there is none.</summary>
    public string? InputBeside { get; init; }

    /// <summary>Gets the member for further tokens of the answer that <see cref="Output"/> does not contain, such as thinking. Null if there is none.</summary>
    public string? OutputBeside { get; init; }
}

/// <summary>The meaning of a member of a usage object.</summary>
internal enum UsageMember
{
    /// <summary>A value that is not counted here.</summary>
    Other,

    /// <summary>Tokens of the prompt.</summary>
    Input,

    /// <summary>Tokens of the answer.</summary>
    Output,

    /// <summary>Tokens of the prompt that came from the provider's cache.</summary>
    Cached,

    /// <summary>An object that holds the cached tokens.</summary>
    Details,

    /// <summary>Tokens of the prompt, without the tokens that are reported separately.</summary>
    InputWithoutCache,

    /// <summary>Tokens of the prompt that came from the provider's cache, not contained in the input.</summary>
    CachedBeside,

    /// <summary>Tokens of the prompt that were written into the provider's cache, not contained in the input.</summary>
    Written,

    /// <summary>Further tokens of the prompt, not contained in the input.</summary>
    InputBeside,

    /// <summary>Further tokens of the answer, not contained in the output.</summary>
    OutputBeside,
}

/// <summary>
/// Contains the usage members of all dialects together, because a gateway may pass on the answer of another provider. Pure; allocates nothing.
/// </summary>
internal static class UsageWords
{
    private static readonly byte[][] s_containers = [.. DialectTable.Usages.Select(static u => u.Container).Where(static c => c.Length > 0).Distinct().Select(Encoding.UTF8.GetBytes)];

    private static readonly (byte[] Name, UsageMember Member)[] s_members = [.. DialectTable.Usages.SelectMany(MembersOf).DistinctBy(static m => m.Name).Select(static m => (Encoding.UTF8.GetBytes(m.Name), m.Member))];

    private static readonly byte[][] s_cachedInDetails = [.. DialectTable.Usages.Where(static u => u.Details is not null).Select(static u => u.Cached!).Distinct().Select(Encoding.UTF8.GetBytes)];

    private static readonly byte[][] s_marks = [.. s_containers.Select(static name => (byte[])[(byte)'"', .. name, (byte)'"', (byte)':'])];

    private static readonly byte[][] s_atRoot = [.. DialectTable.Usages.Where(static u => u.Container.Length == 0).Select(static u => Encoding.UTF8.GetBytes(u.Output))];

    private static readonly byte[][] s_marksAtRoot = [.. s_atRoot.Select(static name => (byte[])[(byte)'"', .. name, (byte)'"', (byte)':'])];

    /// <summary>Finds where the object with the usage of an event begins. -1 if the event reports none.</summary>
    /// <param name="json">The data of the event, without white space before it.</param>
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

    /// <summary>Checks whether this member of the root shows that the root itself contains the usage.</summary>
    /// <param name="name">The member's name.</param>
    public static bool IsAtRoot(ReadOnlySpan<byte> name) => IsOneOf(name, s_atRoot);

    /// <summary>Checks whether this is the member of the root that contains the usage.</summary>
    /// <param name="name">The member's name.</param>
    public static bool IsContainer(ReadOnlySpan<byte> name) => IsOneOf(name, s_containers);

    /// <summary>Checks whether this is the member of <see cref="UsageMember.Details"/> with the cached tokens.</summary>
    /// <param name="name">The member's name.</param>
    public static bool IsCachedInDetails(ReadOnlySpan<byte> name) => IsOneOf(name, s_cachedInDetails);

    /// <summary>Gets the meaning of a member of the usage.</summary>
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
        if (names.InputBeside is { } input)
            yield return (input, UsageMember.InputBeside);
        if (names.OutputBeside is { } output)
            yield return (output, UsageMember.OutputBeside);
    }
}
