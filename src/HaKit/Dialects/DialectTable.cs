namespace HaKit.Dialects;

/// <summary>All dialects, one row for each value of <see cref="WireDialect"/>, and what can be told from a path or a name without knowing the dialect.</summary>
internal static class DialectTable
{
    // In the order of the enumeration. Servers that declare nothing are taken for compatible ones of unknown make: a refusal speaks for one server only.
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

    // Each path once: most dialects have OpenAI's.
    private static readonly AnswerPath[] s_paths = [.. s_rows.SelectMany(d => d.Paths).DistinctBy(p => p.End)];

    // Of a server that declares nothing, the headers of each family are tried in turn.
    private static readonly RateLimitNames[] s_anyLimits = [.. s_rows.Select(d => d.RateLimits).Distinct()];

    private static readonly RateLimitNames[][] s_limits = [s_anyLimits, .. s_rows.Skip(1).Select(d => new[] { d.RateLimits })];

    /// <summary>Where answers report their tokens, in any dialect.</summary>
    // What the compatible servers of OpenAI's responses and of DeepSeek say beside it.
    public static IReadOnlyList<UsageNames> Usages { get; } =
    [
        .. s_rows.Select(d => d.Usage).Distinct(),
        new("usage", "input_tokens", "output_tokens") { Cached = "cached_tokens", Details = "input_tokens_details" },
        new("usage", "prompt_tokens", "completion_tokens") { Cached = "prompt_cache_hit_tokens" },
    ];

    /// <summary>The headers in which an endpoint may tell its limits, the likeliest first.</summary>
    /// <param name="declared">What the endpoint declares.</param>
    public static ReadOnlySpan<RateLimitNames> RateLimitsOf(WireDialect declared) => s_limits[(int)declared];

    /// <summary>The dialect of an endpoint.</summary>
    /// <param name="declared">What the endpoint declares.</param>
    public static Dialect Get(WireDialect declared) => s_rows[(int)declared];

    /// <summary>The dialect to judge an error by: an unmistakable shape goes before what the endpoint declares, for a gateway may stand in between.</summary>
    /// <param name="declared">What the endpoint declares.</param>
    /// <param name="signs">What the body showed.</param>
    public static Dialect GetForError(WireDialect declared, in ErrorSigns signs)
    {
        // From the last row to the first: Bedrock's header, Gemini's status and Anthropic's type, in this order.
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

    /// <summary>The path at which a POST creates an answer; null for any other.</summary>
    /// <param name="declared">What the endpoint declares: its own paths need no version before them.</param>
    /// <param name="path">The request's path, without a query.</param>
    public static AnswerPath? PathOf(WireDialect declared, string path)
    {
        var text = path.AsSpan().TrimEnd('/');
        // The messages of a thread, the items of a conversation: they belong to an object that one endpoint stores.
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

    /// <summary>The path with another model's name in the place of the caller's; the same where it has no place for one.</summary>
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
