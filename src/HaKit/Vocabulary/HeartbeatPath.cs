namespace HaKit;

/// <summary>Checks the path of HTTP heartbeats as it is written: <c>HealthPath</c> of an endpoint and <c>Heartbeat:Path</c> of a pool. Pure.</summary>
internal static class HeartbeatPath
{
    // These paths take POST requests. A heartbeat sends GET, gets 405, and would eject the endpoint.
    private static readonly string[] s_operations = ["/completions", "/responses", "/embeddings", "/messages", "/api/chat", "/api/generate"];

    /// <summary>Returns the mistake in a path and its remedy, as the end of a sentence that begins with the setting; null if there is no mistake.</summary>
    /// <param name="path">The path. Null: not set.</param>
    public static string? FindMistake(string? path)
    {
        if (path is null)
            return null;
        if (FindMistakeOfForm(path) is { } form)
            return form;
        var end = path.IndexOfAny(['?', '#']);
        var plain = (end < 0 ? path : path[..end]).TrimEnd('/');
        return s_operations.FirstOrDefault(o => plain.EndsWith(o, StringComparison.OrdinalIgnoreCase)) is { } operation
            ? $"ends with '{operation}', which answers no GET request, and heartbeats send GET. Give a path for health checks, such as '/health', or leave it out: heartbeats then open a connection."
            : null;
    }

    /// <summary>Does the same without the check for paths that answer no GET request.</summary>
    /// <param name="path">The path.</param>
    public static string? FindMistakeOfForm(string path)
    {
        if (string.IsNullOrWhiteSpace(path))
            return "is empty. Give a path at the endpoint's host, such as '/health', or leave it out: heartbeats then open a connection.";
        if (QuotedText.Is(path))
            return "is in quotation marks. Remove them: a path such as '/health' is needed.";
        if (path.Contains("://", StringComparison.Ordinal) || path.StartsWith("//", StringComparison.Ordinal) || BeginsWithHost(path))
            return "is an address: a path at the endpoint's host is needed, such as '/health'.";
        if (path.Any(char.IsWhiteSpace) || path.Contains('\\', StringComparison.Ordinal))
            return "has white space or a backslash: a path such as '/health' is needed.";
        return Placeholder.IsTemplate(path) ? "has a placeholder in it, such as '<path>' or '${PATH}'. Give the real path, such as '/health'." : null;
    }

    // 127.0.0.1:9/health, api.example.com/health
    private static bool BeginsWithHost(string path)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && (path.AsSpan(0, slash).Contains(':') || path.AsSpan(0, slash).Contains('.'));
    }
}
