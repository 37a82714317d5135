using System.Buffers;

namespace HaKit;

/// <summary>Checks the headers that an application sets for requests. HTTP clients leave out a header with an impossible name without a message.</summary>
internal static class RequestHeader
{
    // The characters that the name of a header may have: a "token" of RFC 9110, section 5.6.2.
    private static readonly SearchValues<char> s_inNames = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Checks whether the name is possible, and the value is ASCII without control characters.</summary>
    public static bool CanBeSent(string name, string? value) =>
        name.Length > 0 && !name.AsSpan().ContainsAnyExcept(s_inNames) && !value.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
