using System.Text;
using HaKit.Faults;

namespace HaKit.Testing;

/// <summary>Converts a scripted fault to the fault that the pool gets. The built-in classifier classifies it in the same way as a real answer.</summary>
internal static class FaultReading
{
    /// <summary>Returns the fault that the pool gets instead of content. Null if the pool gets content or silence.</summary>
    public static Fault? ReadFault(FakeFault fault, WireDialect dialect, DateTimeOffset now)
    {
        if (fault.Exception is { } exception)
            return FaultClassifier.Default.Classify(new FaultEvidence { Exception = exception(), Dialect = dialect, Now = now });
        if (fault.Reply is { Status: >= 400 } reply)
            return OfReply(reply, fault, dialect, now);
        return fault.Ending switch
        {
            { Kind: FakeEndingKind.Empty or FakeEndingKind.Truncated } => new Fault(FaultKind.BrokenBody),
            { Kind: FakeEndingKind.ErrorIn200 } => new Fault(FaultKind.ServerError),
            { Kind: FakeEndingKind.Cut or FakeEndingKind.End, After: 0 } => new Fault(FaultKind.ConnectionReset),
            { Kind: FakeEndingKind.ErrorEvent, After: 0 } => new Fault(FaultKind.ServerError),
            _ => null,
        };
    }

    public static bool IsSilence(FakeFault fault) =>
        fault.Ending is { Kind: FakeEndingKind.Hang or FakeEndingKind.KeepAlives } or { Kind: FakeEndingKind.Silence, After: 0 };

    private static Fault? OfReply(CannedReply reply, FakeFault fault, WireDialect dialect, DateTimeOffset now)
    {
        using var response = new HttpResponseMessage();
        foreach (var (name, value) in fault.Headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return FaultClassifier.Default.Classify(new FaultEvidence
        {
            StatusCode = reply.Status,
            Headers = response.Headers,
            Body = Encoding.UTF8.GetBytes(reply.Body ?? ""),
            Dialect = dialect,
            Now = now,
        });
    }
}
