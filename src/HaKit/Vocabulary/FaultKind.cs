namespace HaKit;

/// <summary>The kind of a fault: what happened to an attempt.</summary>
public enum FaultKind
{
    /// <summary>A fault that no other kind describes; blamed on the endpoint.</summary>
    Unknown,

    /// <summary>No TCP connection: refused, unreachable, reset while connecting.</summary>
    ConnectFailed,

    /// <summary>The TCP connection took too long.</summary>
    ConnectTimeout,

    /// <summary>The name did not resolve.</summary>
    DnsFailed,

    /// <summary>The TLS handshake or the certificate failed.</summary>
    TlsFailed,

    /// <summary>A circuit breaker or limiter in the endpoint's pipeline refused the attempt.</summary>
    BreakerOpen,

    /// <summary>No first content within the endpoint's own limit (silence); or the pool cancelled the attempt after an unusually long silence.</summary>
    FirstContentTimeout,

    /// <summary>The whole attempt took longer than the endpoint's attempt timeout.</summary>
    AttemptTimeout,

    /// <summary>Content stopped flowing for longer than the idle timeout.</summary>
    IdleTimeout,

    /// <summary>The connection broke after the request was sent.</summary>
    ConnectionReset,

    /// <summary>An answer that cannot be used: empty, cut, not of its dialect, or an error with the status of a success.</summary>
    BrokenBody,

    /// <summary>500, 502, 504 and other server errors.</summary>
    ServerError,

    /// <summary>503, 529: the endpoint works but is overloaded.</summary>
    Overloaded,

    /// <summary>Too many requests or tokens for now.</summary>
    Throttled,

    /// <summary>Quota, credit or spend limit used up; a short wait does not help.</summary>
    QuotaExhausted,

    /// <summary>401, a bad or revoked key.</summary>
    Unauthorized,

    /// <summary>403 that is not about the content.</summary>
    Forbidden,

    /// <summary>The model or deployment does not exist here (404 with a model code, 410 retired).</summary>
    ModelNotFound,

    /// <summary>400, 422 and other faults of the request itself.</summary>
    InvalidRequest,

    /// <summary>404, 405, 407, 421, 499 or another 4xx that says nothing about the request: the endpoint does not serve such requests.</summary>
    NotServed,

    /// <summary>413: too many bytes.</summary>
    RequestTooLarge,

    /// <summary>The prompt does not fit the model's context window; a model with a larger window could serve it.</summary>
    ContextLength,

    /// <summary>A content filter refused the prompt or the answer.</summary>
    ContentFilter,

    /// <summary>The caller cancelled.</summary>
    CallerCancelled,

    /// <summary>The caller's deadline passed.</summary>
    DeadlineExceeded,

    /// <summary>Another attempt of the same call was faster.</summary>
    Superseded,

    /// <summary>The answer ended after some content, but before its end.</summary>
    PartialResponse,
}
