using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>Finds the fault that one of HaKit's own exceptions names.</summary>
internal static class OwnFaults
{
    private const int Deepest = 8;

    /// <summary>The fault that an exception of HaKit's own names, here or within another: of a handler below an SDK, or of a pool that serves as an endpoint.</summary>
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
