using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>Gets how an endpoint continues a cut answer: as its options declare, or else as its dialect allows. Pure.</summary>
internal static class DeclaredContinuation
{
    public static Continuation Get(EndpointOptions endpoint) => endpoint.Continuation ?? DialectTable.Get(endpoint.Dialect).Continuation;
}
