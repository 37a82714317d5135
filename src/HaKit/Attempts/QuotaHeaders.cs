using System.Net.Http.Headers;
using HaKit.Dialects;
using HaKit.Limits;

namespace HaKit.Attempts;

/// <summary>Reads from an answer's headers what the server says is left of its limits.</summary>
internal static class QuotaHeaders
{
    public static QuotaReading Read(HttpResponseHeaders headers, WireDialect dialect, DateTimeOffset now)
    {
        var told = RateLimitHeaders.Read(headers, dialect, now);
        var tokens = told.Tokens.Remaining is null ? told.InputTokens : told.Tokens;
        return new QuotaReading
        {
            RequestsLimit = told.Requests.Limit,
            RequestsRemaining = told.Requests.Remaining,
            RequestsReset = told.Requests.Reset,
            TokensLimit = tokens.Limit,
            TokensRemaining = tokens.Remaining,
            TokensReset = tokens.Reset,
        };
    }
}
