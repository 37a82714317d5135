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
                    return FaultOf(pool);
            }
        }

        return null;
    }

    // A pool that serves as an endpoint of another pool has not served the call.
    private static Fault FaultOf(EndpointPoolException pool)
    {
        // None of its endpoints can serve this one request. That says nothing about other requests, so it must not count against the inner pool.
        if (pool is NoEndpointAvailableException { Endpoints.Count: > 0, WaitRules: [.., WaitRule.NotCapable] } && pool.Attempts.All(static a => a.Fault is { Blame: FaultBlame.Request }))
            return new Fault(FaultKind.NotServed) { SecondOpinion = SecondOpinion.Each };
        return new Fault(FaultKind.Overloaded)
        {
            Applied = pool.PerhapsBilled > 0 ? FaultApplied.Ambiguous : FaultApplied.Rejected,
            RetryAfter = pool.RetryAfter,
            DoesNotHeal = pool.WaitRules is [.., WaitRule.TimeDoesNotHeal],
        };
    }
}
