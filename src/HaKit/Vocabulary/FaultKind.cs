namespace HaKit;

/// <summary>The kind of a fault: what happened to an attempt.</summary>
public enum FaultKind
{
    /// <summary>A fault that no other kind describes; blamed on the endpoint.</summary>
    Unknown,

    /// <summary>No TCP connection was made: refused, unreachable, or reset while connecting.</summary>
    ConnectFailed,

    /// <summary>The TCP connection took too long.</summary>
    ConnectTimeout,

    /// <summary>The DNS name could not be resolved.</summary>
    DnsFailed,

    /// <summary>The TLS handshake or the certificate failed.</summary>
    TlsFailed,

    /// <summary>A circuit breaker or limiter in the endpoint's pipeline refused the attempt.</summary>
    BreakerOpen,

    /// <summary>No first content arrived within the endpoint's own limit, or the pool cancelled the attempt after an unusually long silence.</summary>
    FirstContentTimeout,

    /// <summary>The whole attempt took longer than the endpoint's attempt timeout.</summary>
    AttemptTimeout,

    /// <summary>A stream had no new content for longer than the idle timeout.</summary>
    IdleTimeout,

    /// <summary>The connection broke after the request was sent.</summary>
    ConnectionReset,

    /// <summary>The answer cannot be used: it is empty, cut, not in the endpoint's dialect, or an error with a success status.</summary>
    BrokenBody,

    /// <summary>A server error: 500, 502, 504 and other 5xx.</summary>
    ServerError,

    /// <summary>503, 529: the endpoint works but is overloaded.</summary>
    Overloaded,

    /// <summary>429: too many requests or tokens at the moment.</summary>
    Throttled,

    /// <summary>The quota, credit or spend limit is used up. A short wait does not help.</summary>
    QuotaExhausted,

    /// <summary>401: a wrong or revoked key.</summary>
    Unauthorized,

    /// <summary>403, for example because the key has no permission. A 403 because of the content is <see cref="ContentFilter"/>.</summary>
    Forbidden,

    /// <summary>The model or deployment does not exist here (404 with a model code, 410 retired).</summary>
    ModelNotFound,

    /// <summary>400, 422 and other faults of the request itself.</summary>
    InvalidRequest,

    /// <summary>404, 405, 407, 421, 499 or another 4xx that is no evidence against the request: the endpoint does not serve such requests.</summary>
    NotServed,

    /// <summary>413: the request has too many bytes.</summary>
    RequestTooLarge,

    /// <summary>The prompt does not fit the model's context window; a model with a larger window could serve it.</summary>
    ContextLength,

    /// <summary>A content filter refused the prompt or the answer.</summary>
    ContentFilter,

    /// <summary>The caller cancelled.</summary>
    CallerCancelled,

    /// <summary>The caller's deadline passed.</summary>
    DeadlineExceeded,

    /// <summary>Another attempt of the same call was faster, so this attempt was cancelled.</summary>
    Superseded,

    /// <summary>A stream broke after some of its content had been delivered.</summary>
    PartialResponse,
}
