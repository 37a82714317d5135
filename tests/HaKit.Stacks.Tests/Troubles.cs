using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>The result for a caller of any SDK.</summary>
internal enum Outcome
{
    /// <summary>The whole answer, from the other server.</summary>
    Served,

    /// <summary>The SDK's own exception for a refusal, after one request.</summary>
    Refused,

    /// <summary>The delivered part, and then <see cref="PartialResponseException"/>: never half an answer that looks whole.</summary>
    Partial,
}

/// <summary>Describes a failure of the preferred server.</summary>
/// <param name="Fault">The fault of the server.</param>
/// <param name="Expected">The result for the caller.</param>
/// <param name="Streams">True if the failure exists only for streams.</param>
/// <param name="Plain">True if the failure exists only for plain answers.</param>
/// <param name="IsSlow">True if the pool's time has to advance.</param>
internal sealed record Trouble(FakeFault Fault, Outcome Expected = Outcome.Served, bool Streams = false, bool Plain = false, bool IsSlow = false);

internal static class Troubles
{
    public static IReadOnlyDictionary<string, Trouble> ByName { get; } = new Dictionary<string, Trouble>
    {
        ["all is well"] = new(FakeFault.None),
        ["500"] = new(FakeFault.Status(500)),
        ["503"] = new(FakeFault.Status(503)),
        ["529"] = new(FakeFaults.Anthropic.Overloaded()),
        ["429 with Retry-After"] = new(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(20))),
        ["quota exhausted"] = new(FakeFaults.OpenAI.QuotaExhausted()),
        ["bad key"] = new(FakeFault.Status(401)),
        ["model not found"] = new(FakeFaults.OpenAI.ModelNotFound()),
        ["connection reset"] = new(FakeFault.Reset),
        ["empty answer"] = new(FakeFault.EmptyBody),
        ["cut answer"] = new(FakeFault.TruncatedBody, Plain: true),
        ["error in a 200"] = new(FakeFault.ErrorIn200()),
        ["page of a gateway"] = new(FakeFault.Status(502, "<html>bad gateway</html>", "text/html")),
        ["silence"] = new(FakeFault.Hang, IsSlow: true),
        ["the request itself is refused (400)"] = new(FakeFault.Status(400, """{"error":{"message":"Invalid value for temperature","type":"invalid_request_error","param":"temperature","code":null}}"""), Outcome.Refused),
        ["stream cut after three pieces of content"] = new(FakeFault.CutAfter(3), Outcome.Partial, Streams: true),
        ["stream ends without its end mark"] = new(FakeFault.EndAfter(3), Outcome.Partial, Streams: true),
        ["stream silent after three pieces of content"] = new(FakeFault.SilentAfter(3), Outcome.Partial, Streams: true, IsSlow: true),
        ["error at the beginning of a stream"] = new(FakeFault.ErrorEventAfter(0), Streams: true),
    };
}
