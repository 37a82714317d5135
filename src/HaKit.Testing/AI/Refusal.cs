using System.Text;
using HaKit.Faults;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>Throws the exceptions of a fake client that refuses a call or interrupts an answer.</summary>
internal static class Refusal
{
    // True if the answer stays silent until the caller cancels the call.
    private static bool IsSilent(FakeEnding ending) => ending.Kind is FakeEndingKind.Hang or FakeEndingKind.Silence or FakeEndingKind.KeepAlives;

    /// <summary>Ends an answer according to the fault: by silence, by an exception, or normally.</summary>
    public static async Task EndAsync(FakeEnding ending, FakeFault fault, CancellationToken cancellationToken)
    {
        if (IsSilent(ending))
            await Waits.ForEver(cancellationToken).ConfigureAwait(false);
        throw ending.Kind == FakeEndingKind.Cut ? ConnectionFailures.ResetWithinBody() : new InvalidDataException($"Fault: {fault.Name}.");
    }

    /// <summary>Throws if the messages end with the beginning of an answer and the fake refuses such messages.</summary>
    public static void ThrowOver(string endpoint, FakeChatRequest request, FakeContinuation how)
    {
        if (request.Beginning is not null && how == FakeContinuation.Refuses)
            throw new EndpointFaultException(endpoint, new Fault(FaultKind.InvalidRequest) { StatusCode = 400 });
    }

    /// <summary>Throws the exception of a fault that replaces the whole answer; does nothing for other faults.</summary>
    public static void Throw(string endpoint, FakeFault fault, TimeProvider time)
    {
        if (fault.Exception is not null || fault.Reply is not { Status: >= 400 } reply)
        {
            if (fault.ToException() is { } exception)
                throw exception;
            return;
        }
        using var response = new HttpResponseMessage();
        foreach (var (name, value) in fault.Headers)
            response.Headers.TryAddWithoutValidation(name, value);
        var evidence = new FaultEvidence
        {
            StatusCode = reply.Status,
            Headers = response.Headers,
            Body = Encoding.UTF8.GetBytes(reply.Body ?? ErrorBodies.Default(false, reply.Status)),
            Now = time.GetUtcNow(),
        };
        throw new EndpointFaultException(endpoint, FaultClassifier.Default.Classify(in evidence)!);
    }
}
