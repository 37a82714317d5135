namespace HaKit.Continuity;

/// <summary>The exception that is thrown when an operation of a vault fails. The message contains the error, its place and its remedy.</summary>
/// <param name="message">The error, its place and its remedy.</param>
/// <param name="inner">The cause.</param>
public class VaultException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The exception that is thrown when one object of a vault cannot be used: it is missing, changed, of a newer format, or sealed with a key that is
/// not available.</summary>
/// <param name="objectName">The object's name.</param>
/// <param name="reason">The error, as the rest of a sentence.</param>
/// <param name="problem">The kind of problem.</param>
public sealed class VaultObjectException(string objectName, string reason, VaultProblem problem = VaultProblem.Damaged) : VaultException($"Object '{objectName}' {reason}.")
{
    /// <summary>Gets the object's name.</summary>
    public string ObjectName { get; } = objectName;

    /// <summary>
    /// Gets the kind of problem. If the copies at several destinations have different problems, the property is the first of these that a copy has:
    /// <see cref="VaultProblem.Unreachable"/>, <see cref="VaultProblem.Unreadable"/>, <see cref="VaultProblem.Missing"/>, <see cref="VaultProblem.Damaged"/>.
    /// </summary>
    public VaultProblem Problem { get; } = problem;

    internal string Reason { get; } = reason;

    // A rekey at the same time renames objects.
    internal bool IsPerhapsRenamed { get; init; }
}
