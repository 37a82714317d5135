namespace HaKit;

/// <summary>What the pool keeps of requests and answers that go through it as HTTP. Not thread-safe; read when the pool takes it and at each reload.</summary>
public sealed class HttpOptions
{
    /// <summary>
    /// Longest request body, in bytes, that is kept so that it can be sent again. A longer one is sent again only if its content can be written twice
    /// (a seekable stream, bytes, text), and otherwise once. Default 4 MB; at least 0.
    /// </summary>
    public int MaxReplayBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Longest JSON answer, in bytes, that is read within the attempt, so that a broken one fails over; longer ones are passed on as they come.
    /// Also the longest single event of a stream. Default 64 MB; at least 64 KiB.
    /// </summary>
    public int MaxAnswerBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>No warning about endpoints that are reached over plain http at an address that is not loopback. Default false.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>
    /// Gets or sets whether callers' credentials go to endpoints that have none of their own. True: to all of them; false: to none. Default null: only to the
    /// server of the pool's origin, because a key that is meant for one provider must not reach another. An endpoint that has a credential of its own never
    /// receives a caller's. <see cref="EndpointOptions.ForwardCallerCredential"/> goes first.
    /// </summary>
    public bool? ForwardCallerCredential { get; set; }

    /// <summary>
    /// Gets or sets further names of headers and query parameters that carry credentials, beside <c>Authorization</c>, <c>Cookie</c>, <c>*-key</c>,
    /// <c>*-token</c>, <c>?sig=</c> and the like. <c>*-pass</c> stands for all names that end with <c>-pass</c>; case does not matter. Default none.
    /// </summary>
    public IList<string> CredentialNames { get; set; } = [];

    /// <summary>
    /// Keeps a connection to every endpoint open while there are calls, so that failing over need not connect first: every 30 s a HEAD request to each
    /// address, without credentials, over each client's own connections. Default false.
    /// </summary>
    public bool KeepStandbysWarm { get; set; }

    /// <summary>
    /// Sends the member <c>prompt_cache_key</c> with chats that have an affinity key, to endpoints whose declared dialect has it (OpenAI, and Azure OpenAI's
    /// <c>/openai/v1</c>): a hash of the affinity key. A key of the caller's stays. Default true.
    /// </summary>
    public bool SendPromptCacheKey { get; set; } = true;

    /// <summary>
    /// Counts the tokens of a text, for token limits before the answer says how many there were: such as
    /// <c>text => tokenizer.CountTokens(text)</c> with a tokenizer of Microsoft.ML.Tokenizers. Default null: bytes ÷ 4. Called for each text of a JSON request where
    /// the pool has token limits and the profile does not say how many tokens there are, on any thread. Only code can set it.
    /// </summary>
    public Func<string, int>? CountTokens { get; set; }

    internal HttpOptions Copy()
    {
        var copy = (HttpOptions)MemberwiseClone();
        copy.CredentialNames = [.. CredentialNames ?? []];
        return copy;
    }

    internal IEnumerable<string> Validate(string path)
    {
        if (MaxReplayBytes < 0)
            yield return $"{path}:MaxReplayBytes is {MaxReplayBytes}: at least 0 is needed.";
        if (MaxAnswerBytes < 64 * 1024)
            yield return $"{path}:MaxAnswerBytes is {MaxAnswerBytes}: at least {64 * 1024} is needed.";
        if (CredentialNames.Any(n => n.Trim().Length < 2))
            yield return $"{path}:CredentialNames has a name of less than two characters: it would stand for too much.";
    }
}
