using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>
/// Creates the exceptions that the caller gets in place of an attempt's <see cref="OperationCanceledException"/>. To the caller, this type would mean that it
/// has cancelled the call itself.
/// </summary>
internal static class AttemptExceptions
{
    /// <summary>Creates the exception for a call that ends because the pool gave its attempt up.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault for which the pool cancelled the attempt.</param>
    /// <param name="inner">The exception of the attempt. Null if the attempt had not ended.</param>
    public static TimeoutException GivenUp(string endpoint, Fault fault, Exception? inner) =>
        new($"Endpoint '{endpoint}' was given up ({fault.Kind}), and is not to be asked again.", inner);

    /// <summary>
    /// Creates the exception for an attempt that ended as cancelled, although neither the caller nor the pool cancelled it. Clients have timeouts of their own.
    /// </summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault of the attempt.</param>
    /// <param name="cancelled">The exception of the attempt.</param>
    public static Exception WithoutCancellation(string endpoint, Fault fault, OperationCanceledException cancelled) =>
        fault.Blame == FaultBlame.Endpoint
            ? new TimeoutException($"The attempt on endpoint '{endpoint}' was cancelled by its client ({fault.Kind}), and is not to be repeated.", cancelled)
            : new EndpointFaultException(endpoint, fault, cancelled);
}
