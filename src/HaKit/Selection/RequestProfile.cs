using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace HaKit;

/// <summary>
/// Describes the requirements of a request (which endpoints may serve it) and its treatment (deadline, priority, repetition). Immutable and safe to share
/// between threads; create a profile once and use it for many calls. Two profiles with the same values, the names in their lists included, are equal.
/// </summary>
public sealed record RequestProfile
{
    // A nullable time needs twice the memory, and most calls copy their profile.
    private readonly TimeSpan _deadline = OptionalTime.None;
    private readonly TimeSpan _maxWait = OptionalTime.None;
    private readonly TimeSpan _beganAt = OptionalTime.None;

    /// <summary>Gets the default profile: the request has no requirements and may be repeated; the pool's settings decide its deadline and hedging.</summary>
    public static RequestProfile Default { get; } = new();

    /// <summary>
    /// Gets the affinity key, for example of a session or a shared prompt prefix. Requests with the same key prefer the same endpoint. Default: none. Never
    /// logged.
    /// </summary>
    [JsonIgnore]
    public string? AffinityKey { get; init; }

    /// <summary>Gets the model. Only endpoints that serve this model, or that declare no model, are used. Default: any.</summary>
    public string? Model { get; init; }

    /// <summary>Gets the legal region in which the data must stay, for example <c>eu</c>. Only endpoints with this residency are used. Default: any.</summary>
    public string? Residency { get; init; }

    /// <summary>Gets whether the request needs tools. Default false.</summary>
    public bool Tools { get; init; }

    /// <summary>Gets whether the request needs an endpoint that can read images. Default false.</summary>
    public bool Vision { get; init; }

    /// <summary>Gets the tags that an endpoint must have. Only endpoints with all of these tags are used. Default empty.</summary>
    public IReadOnlyList<string> Tags
    {
        get;
        init => field = NameList.CopyOf(value ?? throw new ArgumentNullException(nameof(Tags), "Tags of the request's profile is null. Give an empty list, or leave Tags out."));
    } = [];

    /// <summary>
    /// Gets the names of the endpoints that may be used, for example because only these endpoints hold the state that the request names. Default empty: any.
    /// </summary>
    public IReadOnlyList<string> Endpoints
    {
        get;
        init => field = NameList.CopyOf(value ?? throw new ArgumentNullException(nameof(Endpoints), "Endpoints of the request's profile is null. Give an empty list, or leave Endpoints out."));
    } = [];

    /// <summary>
    /// Gets the number of tokens in the prompt, for context windows and token limits. If it is not exact, set <see cref="IsInputEstimated"/>. Default 0: not
    /// known.
    /// </summary>
    public int InputTokens { get; init; }

    /// <summary>
    /// Gets whether <see cref="InputTokens"/> is only an estimate. The pool then prefers endpoints with large enough context windows and token limits, but
    /// refuses no call because of the number: if the request seems too large for all endpoints, an endpoint with the most room gets it. If false, a call
    /// ends at once if its tokens are more than every context window, or every token limit, allows. Default false. The clients of HaKit.AI set this property for their own estimates.
    /// </summary>
    public bool IsInputEstimated { get; init; }

    /// <summary>
    /// Gets the number of tokens in the longest text, if the request consists of separate texts, for example texts to embed. The pool compares context windows
    /// with this number, and token limits with <see cref="InputTokens"/>, the number of all texts. An estimate is sufficient: the pool prefers endpoints with
    /// large enough context windows, but refuses no call because of this number. Default 0: the request is one prompt.
    /// </summary>
    public int LongestInputTokens { get; init; }

    /// <summary>Gets the maximum number of tokens in the answer. Default 0: not known.</summary>
    public int MaxOutputTokens { get; init; }

    /// <summary>Gets the priority: when calls have to wait, calls with a higher number are served first. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// Gets the time within which the call must be served: for a stream until its first content, otherwise until the whole answer. Default: the pool's
    /// deadline. <see cref="TimeSpan.MaxValue"/>: no deadline. With 0 or less the call fails at once with a <see cref="DeadlineExceededException"/>; <see
    /// cref="Timeout.InfiniteTimeSpan"/> is less than 0 too.
    /// </summary>
    public TimeSpan? Deadline
    {
        get => OptionalTime.Unpack(_deadline);
        init => _deadline = OptionalTime.Pack(value);
    }

    /// <summary>
    /// Gets how long the call may wait while no endpoint can serve it. Default null: the pool's setting, which is by default the deadline. With 0, a call that
    /// would have to wait fails at once, and <see cref="EndpointPoolException.RetryAfter"/> is the time after which the caller may try again.
    /// </summary>
    public TimeSpan? MaxWait
    {
        get => OptionalTime.Unpack(_maxWait);
        init => _maxWait = OptionalTime.Pack(value);
    }

    /// <summary>Gets whether a second attempt may start beside a slow attempt. Default: the pool's setting.</summary>
    public bool? MayHedge { get; init; }

    /// <summary>
    /// Gets whether the call may be sent again if an endpoint may already have processed it (after a timeout or a connection reset). Default true.
    /// </summary>
    public bool MayRepeat { get; init; } = true;

    /// <summary>
    /// Gets whether another endpoint may continue a streamed answer that was cut, with the delivered part as the beginning. Default: the pool's setting (<see
    /// cref="Failover.StreamingOptions.Continuation"/>).
    /// </summary>
    public bool? MayContinue { get; init; }

    /// <summary>Gets whether a request that a content filter refused may be tried at another endpoint. Default false.</summary>
    public bool MoveOnAfterContentFilter { get; init; }

    /// <summary>
    /// Gets the kind of the request. A request that only creates an answer (<see cref="RequestKind.CreatesAnswer"/>) needs no object that one endpoint stores, so
    /// any other endpoint may serve it. Therefore the pool tries a second endpoint before it returns a refusal of such a request. Calls over HTTP determine the
    /// value themselves. Default <see cref="RequestKind.Unknown"/>.
    /// </summary>
    public RequestKind Request { get; init; }

    /// <summary>
    /// Gets the value of <see cref="EndpointAttempt.IdempotencyKey"/>, which is the same for all attempts of the call. The pool does not send it: your
    /// callback must do so. Default null: a generated key. Never logged.
    /// </summary>
    [JsonIgnore]
    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// Gets the number of tokens in the prompt as guessed from the bytes of an HTTP request. The guess counts for token limits only, and excludes no endpoint.
    /// </summary>
    internal int GuessedTokens { get; init; }

    /// <summary>
    /// Gets the same profile with only the endpoints that probably do not refuse the request. The other endpoints are used only if none of these can take the
    /// request. Null: the endpoints do not differ in this.
    /// </summary>
    internal RequestProfile? Preferred { get; init; }

    /// <summary>
    /// Gets the time on the pool's clock from which the deadline counts, if a part of the call came before its first attempt: the body was read, or another
    /// endpoint was asked. Null: the deadline counts from the time at which the engine begins the call.
    /// </summary>
    internal TimeSpan? BeganAt
    {
        get => OptionalTime.Unpack(_beganAt);
        init => _beganAt = OptionalTime.Pack(value);
    }

    /// <summary>Gets whether endpoints that seem too small by an estimate may serve the call too, because the call would end otherwise.</summary>
    internal bool MayLackRoom { get; init; }

    /// <summary>Gets whether the call asks for the rest of another call's answer.</summary>
    internal bool IsContinuation { get; init; }

    // A caller may give a negative number, for example for an unknown length; it counts as 0.
    internal long Tokens => (long)Math.Max(0, InputTokens) + Math.Max(0, MaxOutputTokens);

    /// <summary>Gets the number of tokens that a context window must hold.</summary>
    internal long WindowTokens => LongestInputTokens > 0 ? (long)LongestInputTokens + Math.Max(0, MaxOutputTokens) : Tokens;

    /// <summary>Gets the part of <see cref="WindowTokens"/> that is not estimated. An endpoint with a smaller context window is excluded.</summary>
    internal long CertainTokens => IsWindowEstimated ? Math.Max(0, MaxOutputTokens) : WindowTokens;

    internal bool IsWindowEstimated => IsInputEstimated || LongestInputTokens > 0;

    /// <summary>
    /// Gets whether <see cref="LimitTokens"/> contains an estimate. A limit then counts at most the number of tokens that it allows in a minute.
    /// </summary>
    internal bool IsLimitEstimated => IsInputEstimated || InputTokens <= 0;

    /// <summary>Gets the estimated number of tokens of the request. Token limits use this estimate until the answer reports the real number.</summary>
    internal long LimitTokens => InputTokens > 0 ? Tokens : (long)GuessedTokens + Math.Max(0, MaxOutputTokens);

    /// <exception cref="ArgumentNullException">The profile is null. The message contains the alternatives.</exception>
    internal static void ThrowIfNull([NotNull] RequestProfile? profile)
    {
        if (profile is null)
            throw new ArgumentNullException(nameof(profile), "The profile of the request is null. Give RequestProfile.Default, or call the overload without a profile.");
    }

    // Affinity and idempotency keys are not printed: an affinity key may be a user's name, and profiles are often logged whole.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"{nameof(Model)} = {Model}, {nameof(Residency)} = {Residency}, {nameof(Tools)} = {Tools}, {nameof(Vision)} = {Vision}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(Tags)} = [{string.Join(", ", Tags)}], {nameof(Endpoints)} = [{string.Join(", ", Endpoints)}], ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(InputTokens)} = {InputTokens}, {nameof(IsInputEstimated)} = {IsInputEstimated}, {nameof(LongestInputTokens)} = {LongestInputTokens}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(MaxOutputTokens)} = {MaxOutputTokens}, {nameof(Priority)} = {Priority}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(Deadline)} = {Deadline}, {nameof(MaxWait)} = {MaxWait}, {nameof(MayHedge)} = {MayHedge}, {nameof(MayRepeat)} = {MayRepeat}, ");
        text.Append(CultureInfo.InvariantCulture, $"{nameof(MayContinue)} = {MayContinue}, {nameof(MoveOnAfterContentFilter)} = {MoveOnAfterContentFilter}, {nameof(Request)} = {Request}");
        return true;
    }
}
