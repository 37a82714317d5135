using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>Finds the fault in HaKit's own exceptions.</summary>
internal static class OwnFaults
{
    private const int Deepest = 8;

    /// <summary>
    /// Gets the fault of a HaKit exception, also if it is inside another exception. Such exceptions come from a handler below an SDK, or from a pool that
    /// serves as an endpoint.
    /// </summary>
    /// <param name="exception">The exception, if any.</param>
    public static Fault? In(Exception? exception)
    {
        for (var depth = 0; exception is not null && depth < Deepest; depth++, exception = exception.InnerException)
        {
            switch (exception)
            {
                case EndpointFaultException endpoint:
                    return endpoint.Fault;
                case PartialResponseException partial:
                    return partial.Fault;
                case EndpointPoolException pool:
                    return new Fault(FaultKind.Overloaded) { RetryAfter = pool.RetryAfter };
            }
        }

        return null;
    }
}
