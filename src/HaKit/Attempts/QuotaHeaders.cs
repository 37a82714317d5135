using System.Net.Http.Headers;
using HaKit.Dialects;
using HaKit.Limits;

namespace HaKit.Attempts;

/// <summary>Reads the remaining amounts of the server's limits from an answer's headers.</summary>
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
