namespace HaKit;

/// <summary>What happened to an attempt.</summary>
public enum FaultKind
{
    /// <summary>Something that fits no other word; blamed on the endpoint.</summary>
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

    /// <summary>No first content within the endpoint's own time (silence), or cancelled by us after a silence longer than usual.</summary>
    FirstContentTimeout,

    /// <summary>The whole attempt took longer than the endpoint's attempt timeout.</summary>
    AttemptTimeout,

    /// <summary>Content stopped flowing for longer than the idle timeout.</summary>
    IdleTimeout,

    /// <summary>The connection broke after the request was sent.</summary>
    ConnectionReset,

    /// <summary>An answer that cannot be read: empty, cut, not of its dialect, an error dressed as success.</summary>
    BrokenBody,

    /// <summary>500, 502, 504 and other server errors.</summary>
    ServerError,

    /// <summary>503, 529: healthy but overloaded.</summary>
    Overloaded,

    /// <summary>Too many requests or tokens for now.</summary>
    Throttled,

    /// <summary>Quota, credit or spend limit used up; waiting a little does not help.</summary>
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

    /// <summary>The prompt does not fit the model's context window; a larger one could serve it.</summary>
    ContextLength,

    /// <summary>A content filter refused the prompt or the answer.</summary>
    ContentFilter,

    /// <summary>The caller cancelled.</summary>
    CallerCancelled,

    /// <summary>The caller's deadline passed.</summary>
    DeadlineExceeded,

    /// <summary>Another attempt of the same call was quicker.</summary>
    Superseded,

    /// <summary>The answer ended after some content and before its end.</summary>
    PartialResponse,
}
