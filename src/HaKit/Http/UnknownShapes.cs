using System.Collections.Concurrent;
using HaKit.Dialects;
using HaKit.Faults;
using Microsoft.Extensions.Logging;

namespace HaKit.Http;

/// <summary>
/// Counts the answers in no known dialect, by endpoint and status. It logs the first, the tenth, the hundredth … answer with an outline of its
/// members. Bounded; thread-safe.
/// </summary>
internal sealed partial class UnknownShapes(string pool, ILogger logger)
{
    private const int MostShapes = 256;

    private readonly ConcurrentDictionary<(string Endpoint, int Status, string Outline), long> _counts = new();

    /// <summary>Gets how often an endpoint sent an answer with this status in no known dialect.</summary>
    public long CountOf(string endpoint, int status) => _counts.Where(c => c.Key.Endpoint == endpoint && c.Key.Status == status).Sum(c => c.Value);

    /// <summary>Counts a refusal if its body is JSON and not an error of any dialect.</summary>
    public void AddRefusal(EndpointAttempt attempt, int status, ReadOnlySpan<byte> body)
    {
        Span<char> words = stackalloc char[ErrorSigns.WordBuffer];
        Span<byte> lengths = stackalloc byte[ErrorSigns.LengthBuffer];
        lengths.Clear();
        var signs = new ErrorSigns(words, lengths);
        ErrorReader.Read(body, null, ref signs);
        if (signs is { IsJson: true, IsError: false } && signs.Message.IsEmpty && !signs.NamesField)
            Add(attempt, status, body);
    }

    /// <summary>Counts an answer. An outline in which a member has the name of a secret that the endpoint gets is not shown.</summary>
    public void Add(EndpointAttempt attempt, int status, ReadOnlySpan<byte> body)
    {
        var endpoint = attempt.Endpoint;
        var outline = ShapeOutline.Write(body);
        var key = (endpoint.Name, status, endpoint.HasOwnSecret(outline, attempt.Lease.UsedCredential) ? "…" : outline);
        if (_counts.Count >= MostShapes && !_counts.ContainsKey(key))
            return;
        var count = _counts.AddOrUpdate(key, 1, static (_, before) => before + 1);
        if (Math.Log10(count) % 1 == 0)
            Unknown(logger, pool, endpoint.Name, status, count, key.Item3);
    }

    [LoggerMessage(16, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} answered {Status} in a shape that no dialect knows, {Count} times so far: {Outline}.")]
    private static partial void Unknown(ILogger logger, string pool, string endpoint, int status, long count, string outline);
}
