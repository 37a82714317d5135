namespace HaKit.Continuity;

/// <summary>The vault could not do what was asked; the message says what, where and the cure.</summary>
/// <param name="message">What, where, and the cure.</param>
/// <param name="inner">What caused it.</param>
public class VaultException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One object of a vault cannot be used: it is missing, changed, of a newer format, or sealed by a key that is not at hand.</summary>
/// <param name="objectName">The object's name.</param>
/// <param name="reason">What is wrong, as the rest of a sentence.</param>
/// <param name="problem">What kind of problem it is.</param>
public sealed class VaultObjectException(string objectName, string reason, VaultProblem problem = VaultProblem.Damaged) : VaultException($"Object '{objectName}' {reason}.")
{
    /// <summary>Gets the object's name.</summary>
    public string ObjectName { get; } = objectName;

    /// <summary>Gets what kind of problem it is.</summary>
    public VaultProblem Problem { get; } = problem;

    internal string Reason { get; } = reason;
}
