namespace HaKit.Dialects;

/// <summary>
/// Contains all dialects, one row for each value of <see cref="WireDialect"/>, and the lookups by path or name for which the dialect need not be known.
/// </summary>
internal static class DialectTable
{
    // The rows are in the order of WireDialect. The first row is for endpoints without a declared dialect (WireDialect.Unknown). The pool treats them as servers
    // of unknown make that are compatible with OpenAI, such as vLLM. A throttle of such a server affects only this server, not the other endpoints of the account.
    private static readonly Dialect[] s_rows =
    [
        VllmDialect.Instance,
        OpenAIDialect.Instance,
        AzureDialect.Instance,
        AnthropicDialect.Instance,
        GeminiDialect.Instance,
        MistralDialect.Instance,
        BedrockDialect.Instance,
        VllmDialect.Instance,
        OllamaDialect.Instance,
    ];

    // Contains each path once, because most dialects have OpenAI's paths.
    private static readonly AnswerPath[] s_paths = [.. s_rows.SelectMany(d => d.Paths).DistinctBy(p => p.End)];

    // If the dialect of an endpoint is not declared, the headers of all providers are tried in turn.
    private static readonly RateLimitNames[] s_anyLimits = [.. s_rows.Select(d => d.RateLimits).Distinct()];

    private static readonly RateLimitNames[][] s_limits = [s_anyLimits, .. s_rows.Skip(1).Select(d => new[] { d.RateLimits })];

    /// <summary>The names under which answers report their tokens, in any dialect.</summary>
    // The last two rows add names that Dialect.Usage does not contain: the names of OpenAI's Responses API (/v1/responses), and DeepSeek's name for cached tokens.
    public static IReadOnlyList<UsageNames> Usages { get; } =
    [
        .. s_rows.Select(d => d.Usage).Distinct(),
        new("usage", "input_tokens", "output_tokens") { Cached = "cached_tokens", Details = "input_tokens_details" },
        new("usage", "prompt_tokens", "completion_tokens") { Cached = "prompt_cache_hit_tokens" },
    ];

    /// <summary>Gets the headers in which an endpoint may report its limits, the most likely first.</summary>
    /// <param name="declared">The declared dialect of the endpoint.</param>
    public static ReadOnlySpan<RateLimitNames> RateLimitsOf(WireDialect declared) => s_limits[(int)declared];

    /// <summary>Gets the dialect of an endpoint.</summary>
    /// <param name="declared">The declared dialect of the endpoint.</param>
    public static Dialect Get(WireDialect declared) => s_rows[(int)declared];

    /// <summary>
    /// Gets the dialect for reading an error. A body that belongs to a dialect beyond doubt takes precedence over the declared dialect, because a gateway may
    /// pass on the error of another provider.
    /// </summary>
    /// <param name="declared">The declared dialect of the endpoint.</param>
    /// <param name="signs">The signs of an error that the body contained.</param>
    public static Dialect GetForError(WireDialect declared, in ErrorSigns signs)
    {
        // Three dialects recognise their errors beyond doubt. The loop goes from the last row to the first, so it checks them in this order. Bedrock: the name of
        // an exception. Gemini: its status word, or the @type of its details. Anthropic: "type":"error" beside an error object without a code.
        for (var row = s_rows.Length - 1; row >= 0; row--)
        {
            if (s_rows[row].IsUnmistakable(in signs))
                return s_rows[row];
        }
        if (declared != WireDialect.Unknown)
            return Get(declared);
        if (signs.LooksAzure)
            return AzureDialect.Instance;
        if (signs.HasRawStatus)
            return MistralDialect.Instance;
        return signs.HasErrorObject && signs.BodyStatus == 0 ? OpenAIDialect.Instance : VllmDialect.Instance;
    }

    /// <summary>Gets the path at which a POST creates an answer. Null for any other path.</summary>
    /// <param name="declared">The declared dialect of the endpoint. Its own paths are recognised even without a version (<c>/v1</c>) before them.</param>
    /// <param name="path">The request's path, without a query.</param>
    public static AnswerPath? PathOf(WireDialect declared, string path)
    {
        var text = path.AsSpan().TrimEnd('/');
        // The messages of a thread and the items of a conversation belong to an object that one endpoint stores.
        if (text.Contains("/threads/", StringComparison.Ordinal) || text.Contains("/conversations/", StringComparison.Ordinal) || text.Contains("/assistants/", StringComparison.Ordinal))
            return null;
        if (declared != WireDialect.Unknown)
        {
            foreach (var own in Get(declared).Paths)
            {
                if (own.IsEndOf(text))
                    return own;
            }
        }

        foreach (var known in s_paths)
        {
            if (known.IsEndOf(text) && (known.IsTelling || AnswerPath.IsVersioned(text[..^known.End.Length])))
                return known;
        }

        return null;
    }

    /// <summary>Gets the path with another model's name. The path stays the same if it has no place for a name.</summary>
    /// <param name="path">The path.</param>
    /// <param name="model">The model's name.</param>
    public static string WithModel(string path, string model)
    {
        foreach (var dialect in s_rows)
        {
            if (dialect.ModelInPath is { } place && place.Replace(path, model) is { } replaced)
                return replaced;
        }

        return path;
    }
}
