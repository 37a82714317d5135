using System.Net.Http.Headers;
using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// The built-in classifier of answers and exceptions. If the body clearly belongs to a dialect, the classifier uses this dialect; otherwise the dialect that the
/// endpoint declares; otherwise the dialect that is most similar to the body. It reads the code first, then the type, then the message, for example to
/// distinguish an exhausted quota from a throttle. If it recognises none of these, the status alone decides. It never throws, reads at most 64 KiB, and keeps no
/// part of a message. Stateless and thread-safe.
/// </summary>
public sealed class FaultClassifier : IFaultClassifier
{
    private static readonly TimeSpan s_shortWait = TimeSpan.FromMinutes(1);

    private FaultClassifier()
    {
    }

    /// <summary>Gets the shared instance.</summary>
    public static FaultClassifier Default { get; } = new();

    /// <summary>
    /// Gets the fault; null for a success. A status of 400 or above is always a fault. Below 400, there is a fault if the body is an error object of any
    /// dialect, or an answer that was ended by a content filter or by a failure of the endpoint. This also applies to the data of a stream's event (status
    /// 200). The exception is classified only if the status is not a failure. An <see cref="OperationCanceledException"/> is classified as a timeout, because
    /// only the caller's token shows whether the caller cancelled.
    /// </summary>
    /// <param name="evidence">The response or the exception.</param>
    public Fault? Classify(in FaultEvidence evidence)
    {
        if (evidence.StatusCode >= 400 || evidence.Exception is null)
            return OfAnswer(in evidence, null);
        if (ExceptionFaults.StatusOf(evidence.Exception) is { } found)
            return OfAnswer(evidence with { StatusCode = found.Status, Body = evidence.Body.IsEmpty ? ToBytes(SdkMessages.BodyOf(ExceptionFaults.MessageOf(found.Carrier))) : evidence.Body }, found.Carrier);
        if (SdkMessages.EventOf(ExceptionFaults.MessageOf(evidence.Exception)) is { IsEmpty: false } data
            && OfAnswer(evidence with { StatusCode = 200, Body = ToBytes(data) }, null) is { } inStream)
        {
            return inStream;
        }

        return ExceptionFaults.Classify(evidence.Exception, evidence.Sent);
    }

    // ErrorReader reads at most MostBytes bytes. A character has at least one byte, so more characters than that need no conversion.
    private static byte[] ToBytes(ReadOnlySpan<char> json) =>
        json.IsEmpty ? [] : System.Text.Encoding.UTF8.GetBytes(json[..Math.Min(json.Length, ErrorReader.MostBytes)].ToArray());

    private static Fault? OfAnswer(in FaultEvidence evidence, Exception? carrier)
    {
        Span<char> tokens = stackalloc char[ErrorSigns.WordBuffer];
        Span<byte> lengths = stackalloc byte[ErrorSigns.LengthBuffer];
        lengths.Clear();
        var signs = new ErrorSigns(tokens, lengths);
        ErrorReader.Read(evidence.Body.Span, evidence.Headers, ref signs);
        Span<byte> wrapped = WrappedError.MayBeIn(signs.Message) ? stackalloc byte[WrappedError.MostBytes] : default;
        if (!wrapped.IsEmpty)
            ReadWrapped(wrapped, evidence.Headers, ref signs);

        var failure = evidence.StatusCode >= 400;
        if (!failure && !signs.IsError)
        {
            return signs switch
            {
                { EndedByFilter: true, EndedOtherwise: false } => new Fault(FaultKind.ContentFilter) { Applied = FaultApplied.Ambiguous, StatusCode = evidence.StatusCode },
                { EndedByFailure: true, EndedOtherwise: false } => new Fault(FaultKind.ServerError) { StatusCode = evidence.StatusCode },
                _ => null,
            };
        }

        Span<char> buffer = stackalloc char[carrier is null ? signs.Message.Length : ErrorSigns.LongestMessage];
        var words = signs.ReadWords(buffer);
        if (signs.Message.IsEmpty && carrier is not null)
        {
            ReadOnlySpan<char> message = ExceptionFaults.MessageOf(carrier);
            message = message[..Math.Min(message.Length, ErrorSigns.LongestMessage)];
            SdkMessages.ReadWords(message, ref signs);
            message = SdkMessages.ServerMessageOf(message);
            message.CopyTo(buffer);
            words = ServerWords.WithoutQuotes(buffer[..message.Length]);
        }

        var dialect = DialectTable.GetForError(evidence.Dialect, in signs);
        var status = failure ? evidence.StatusCode : dialect.ImpliedStatus(in signs);
        if (status == 424 && signs.OriginalStatus > 0)
            status = signs.OriginalStatus;
        if (status == 0)
            status = QuotedError.StatusAtStart(words);
        var server = new ServerMessage(words);
        var verdict = dialect.Classify(in signs, ref server, status);
        return Build(in evidence, in signs, ref server, verdict, failure, status);
    }

    private static void ReadWrapped(Span<byte> buffer, HttpResponseHeaders? headers, ref ErrorSigns signs)
    {
        var message = signs.Message;
        var length = WrappedError.Read(message, buffer);
        if (length == 0)
            return;
        signs.Clear();
        ErrorReader.Read(buffer[..length], headers, ref signs);
        if (signs.Message.IsEmpty)
            signs.SetMessage(message, outer: true);
    }

    private static Fault Build(in FaultEvidence evidence, in ErrorSigns signs, ref ServerMessage message, Verdict verdict, bool failure, int status)
    {
        var (applied, blame, reach) = FaultKinds.Usual(verdict.Kind);
        // In a response of status 200, the server had begun to answer before it reported the overload. So it may have done a part of the work. The same is true if
        // only the words of the error say that the request is at fault.
        if (!failure && (verdict.Kind == FaultKind.Overloaded || status == 0 && verdict.Kind is FaultKind.InvalidRequest or FaultKind.ContextLength))
            applied = FaultApplied.Ambiguous;
        var retryAfter = blame == FaultBlame.Request ? null : RetryAfter(in evidence, in signs, ref message, verdict.Kind);
        var fault = new Fault(verdict.Kind)
        {
            Applied = applied,
            Reach = verdict.Reach ?? reach,
            RetryAfter = retryAfter,
            UntilCleared = verdict.UntilCleared || (verdict.Kind == FaultKind.QuotaExhausted && retryAfter is null),
            StatusCode = evidence.StatusCode,
            Code = signs.MostTelling(),
            MayAskAgain = evidence.Headers is null || !RateLimitHeaders.ForbidsRetry(evidence.Headers),
        };
        return Refusals.Refine(fault, evidence.Request, status, in signs, ref message);
    }

    /// <summary>
    /// Reads the time to wait: from the headers, otherwise from the body, otherwise from the reset time of the exhausted limit (requests or tokens).
    /// </summary>
    private static TimeSpan? RetryAfter(in FaultEvidence evidence, in ErrorSigns signs, ref ServerMessage message, FaultKind kind)
    {
        if (evidence.Headers is { } headers && RateLimitHeaders.ReadRetryAfter(headers, evidence.Now) is { } told)
            return told;
        var isLimit = kind is FaultKind.Throttled or FaultKind.Overloaded or FaultKind.QuotaExhausted;
        if ((signs.RetryDelay ?? Durations.Until(signs.RetryAt, evidence.Now)) is { } delay)
            return delay;
        if (WaitInMessage(in evidence, in signs, ref message, kind, isLimit) is { } inMessage)
            return inMessage;
        return kind == FaultKind.Throttled && evidence.Headers is { } limits
            ? RateLimitHeaders.Read(limits, evidence.Dialect, evidence.Now).ResetOfExhausted ?? RateLimitHeaders.ReadPlainReset(limits, evidence.Now)
            : null;
    }

    private static TimeSpan? WaitInMessage(in FaultEvidence evidence, in ErrorSigns signs, ref ServerMessage message, FaultKind kind, bool isLimit)
    {
        // A time in free text counts only if the server wrote it, because the message may also repeat text of the caller. In a sentence with unknown words, only a
        // short time counts.
        var own = Durations.AreIn(message.Text) || Instants.AreIn(message.Text) ? message.Own : default;
        var inSentence = Durations.InSentence(own, isLimit) ?? (isLimit && Durations.AreIn(message.Text) ? ShortWait(message.Text) : null);
        if ((inSentence ?? (evidence.StatusCode is 429 or 503 ? QuotedError.FindWait(in signs, message.Words) : null)) is { } wait)
            return wait;
        if (isLimit && Durations.Until(Instants.InSentence(own), evidence.Now) is { } then)
            return then;
        return kind == FaultKind.QuotaExhausted ? Durations.Until(Instants.RegainedAt(own), evidence.Now) : null;
    }

    private static TimeSpan? ShortWait(ReadOnlySpan<char> text)
    {
        Span<char> buffer = stackalloc char[text.Contains('(') ? text.Length : 0];
        return Durations.InSentence(OwnMessage.Read(text, buffer), isLimit: true) is { } wait && wait <= s_shortWait ? wait : null;
    }
}
