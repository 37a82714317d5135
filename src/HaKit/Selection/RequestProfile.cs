using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace HaKit;

/// <summary>
/// What is known of a request before it is made: where it may go and how it may be treated. Immutable; build it once and use it for many calls.
/// Safe to share between threads.
/// </summary>
public sealed record RequestProfile
{
    /// <summary>No requirements, the pool's deadline, repeatable, not hedged.</summary>
    public static RequestProfile Default { get; } = new();

    /// <summary>Requests with the same key prefer the same endpoint (a session, a shared prompt prefix). Never logged.</summary>
    [JsonIgnore]
    public string? AffinityKey { get; init; }

    /// <summary>Only endpoints that serve this model, or that declare none.</summary>
    public string? Model { get; init; }

    /// <summary>Only endpoints in this legal region.</summary>
    public string? Residency { get; init; }

    /// <summary>Needs tools. Default false.</summary>
    public bool Tools { get; init; }

    /// <summary>Needs to see images. Default false.</summary>
    public bool Vision { get; init; }

    /// <summary>Needs all of these tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Only the endpoints of these names, for example because the request carries state that they alone hold. Default empty: any.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>Estimated tokens of the prompt. Default 0: not known.</summary>
    public int InputTokens { get; init; }

    /// <summary>Most tokens of the answer. Default 0: not known.</summary>
    public int MaxOutputTokens { get; init; }

    /// <summary>Higher goes first when calls have to wait. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>The caller's patience: to the first content of a stream, to the whole answer otherwise. Default: the pool's.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// How long the call may wait while nothing can serve it. Default null: as the pool says, which is to the deadline; 0: it fails at once, with the time to come
    /// back in the exception.
    /// </summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>May a second attempt be started beside a slow one? Default: as the pool says.</summary>
    public bool? MayHedge { get; init; }

    /// <summary>Whether the call may be sent again when it is unknown if it was processed (a timeout or reset after sending). Default true.</summary>
    public bool MayRepeat { get; init; } = true;

    /// <summary>
    /// May the rest of a streamed answer that is cut be asked of another endpoint, with what was delivered as its beginning? Default: as the pool says
    /// (<see cref="Failover.StreamingOptions.Continuation"/>).
    /// </summary>
    public bool? MayContinue { get; init; }

    /// <summary>May a request that a content filter refused be tried elsewhere? Default false.</summary>
    public bool MoveOnAfterContentFilter { get; init; }

    /// <summary>
    /// What the call asks for, which decides what the refusal of an exception means: a new answer that every endpoint could make gets second opinions.
    /// Calls over HTTP find it out themselves. Default <see cref="RequestKind.Unknown"/>.
    /// </summary>
    public RequestKind Request { get; init; }

    /// <summary>The key that all attempts of the call present; made up when null. Never logged.</summary>
    [JsonIgnore]
    public string? IdempotencyKey { get; init; }

    /// <summary>Tokens of the prompt as guessed from its bytes: good enough for limits, and for nothing that would exclude an endpoint.</summary>
    internal int GuessedTokens { get; init; }

    /// <summary>The call asks for the rest of another call's answer.</summary>
    internal bool IsContinuation { get; init; }

    internal long Tokens => (long)InputTokens + MaxOutputTokens;

    /// <summary>The tokens that limits count before the answer says how many there were.</summary>
    internal long LimitTokens => Tokens > 0 ? Tokens : GuessedTokens;

    // The caller's keys are left out: an affinity key may be the name of a user, and a profile is easily logged whole.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"{nameof(Model)} = {Model}, {nameof(Residency)} = {Residency}, {nameof(Tools)} = {Tools}, {nameof(Vision)} = {Vision}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(Tags)} = [{string.Join(", ", Tags)}], {nameof(Endpoints)} = [{string.Join(", ", Endpoints)}], ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(InputTokens)} = {InputTokens}, {nameof(MaxOutputTokens)} = {MaxOutputTokens}, {nameof(Priority)} = {Priority}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(Deadline)} = {Deadline}, {nameof(MaxWait)} = {MaxWait}, {nameof(MayHedge)} = {MayHedge}, {nameof(MayRepeat)} = {MayRepeat}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(MayContinue)} = {MayContinue}, {nameof(MoveOnAfterContentFilter)} = {MoveOnAfterContentFilter}, {nameof(Request)} = {Request}");
        return true;
    }
}
