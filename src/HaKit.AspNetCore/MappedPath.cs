namespace HaKit.AspNetCore;

/// <summary>
/// Checks the path at which a method maps routes. Routing would refuse a wrong path with a message that does not name the method, or would accept the path, and
/// no request would ever match it.
/// </summary>
internal static class MappedPath
{
    /// <exception cref="ArgumentException">The path cannot be meant. The message names the method and the remedy.</exception>
    public static void ThrowIfWrong(string? path, string parameter, string method, string example)
    {
        var mistake = path switch
        {
            null => "no path",
            _ when string.IsNullOrWhiteSpace(path) => "an empty path",
            _ when path.Contains("://", StringComparison.Ordinal) || path.Contains("//", StringComparison.Ordinal) => $"'{path}', which is an address",
            _ when path.Any(char.IsWhiteSpace) => $"'{path}', which has white space",
            _ when path.AsSpan().IndexOfAny("{}?#*") >= 0 => $"'{path}', which has a character of a pattern or a query",
            _ => null,
        };
        if (mistake is not null)
            throw new ArgumentException($"{method} was given {mistake}. Give it a path such as '{example}'.", parameter);
    }
}
