using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Classifies one answer with the built-in classifier, for tests that are tables of bodies.</summary>
internal static class Classified
{
    public static Fault? Answer(int status, string body, WireDialect dialect = WireDialect.Unknown, RequestKind request = RequestKind.Unknown, params (string Name, string Value)[] headers) =>
        FaultClassifier.Default.Classify(new FaultEvidence
        {
            StatusCode = status,
            Body = Encoding.UTF8.GetBytes(body),
            Dialect = dialect,
            Request = request,
            Headers = headers.Length == 0 ? null : Fixture.HeadersOf(headers),
            Now = Fixture.Now,
        });

    public static Fault Exception(Exception exception, bool? sent = null) =>
        FaultClassifier.Default.Classify(new FaultEvidence { Exception = exception, Sent = sent, Now = Fixture.Now })!;
}
