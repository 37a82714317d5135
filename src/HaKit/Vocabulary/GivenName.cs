namespace HaKit;

/// <summary>Checks the names that the registration methods are given. A missing name usually comes from a configuration that does not have it.</summary>
internal static class GivenName
{
    /// <summary>Throws if a name is null or blank.</summary>
    /// <param name="name">The name.</param>
    /// <param name="parameter">The parameter's name.</param>
    /// <param name="method">The method that was given the name, for example <c>AddHaChatClient</c>.</param>
    /// <param name="of">What the name belongs to, for example <c>a pool</c>.</param>
    /// <param name="example">A possible name.</param>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">The name is blank.</exception>
    public static void ThrowIfBlank([System.Diagnostics.CodeAnalysis.NotNull] string? name, string parameter, string method, string of, string example = "chat")
    {
        var message = $"{method} was given no name of {of}: it is {(name is null ? "null" : $"'{name}'")}. Perhaps the configuration does not have it. Give the name itself, such as \"{example}\".";
        if (name is null)
            throw new ArgumentNullException(parameter, message);
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentException(message, parameter);
    }
}
