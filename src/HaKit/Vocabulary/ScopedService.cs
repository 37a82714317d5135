namespace HaKit;

/// <summary>
/// Recognises the exception with which the container refuses a scoped service to code that runs outside a scope. Its message names neither the method nor the
/// remedy. Compiled into the packages whose methods give the container to a function. Pure.
/// </summary>
internal static class ScopedService
{
    /// <summary>Checks whether the container has refused a scoped service.</summary>
    public static bool IsRefusedIn(InvalidOperationException exception) =>
        exception.Message.Contains("scoped service", StringComparison.Ordinal) && exception.Message.Contains("root provider", StringComparison.Ordinal);
}
