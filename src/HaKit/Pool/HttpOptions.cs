namespace HaKit;

/// <summary>Sets how requests and answers over HTTP are handled. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class HttpOptions
{
    // A body is kept in one array, whose length is doubled until it exceeds the limit. An array of .NET has less than 2 GiB.
    private const int MostBytes = 1024 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the longest request body, in bytes, that is kept so that it can be sent again. A longer body is sent again only if its content can be
    /// written twice (a seekable stream, bytes, text). Otherwise the request gets only one attempt. Default 4 MiB; 0 to 1 GiB.
    /// </summary>
    public int MaxReplayBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the longest JSON answer, in bytes, that is read completely before it is returned, so that a broken answer fails over. Longer answers are
    /// passed on as they arrive. This value is also the limit on one event of a stream. Default 64 MiB; 64 KiB to 1 GiB.
    /// </summary>
    public int MaxAnswerBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Gets or sets whether plain http is allowed without a warning. If false, the pool warns about http addresses other than loopback. Default false.
    /// </summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>
    /// Gets or sets whether callers' credentials go to endpoints without a credential of their own. True: to all such endpoints; false: to none. Default null:
    /// only to the server of the pool's origin, because a key for one provider must not be sent to another provider. An endpoint with its own credential never
    /// receives a caller's credential. <see cref="EndpointOptions.ForwardCallerCredential"/> overrides this setting for one endpoint.
    /// </summary>
    public bool? ForwardCallerCredential { get; set; }

    /// <summary>
    /// Gets or sets further names of headers and query parameters that carry credentials, in addition to <c>Authorization</c>, <c>Cookie</c>, <c>*-key</c>,
    /// <c>*-token</c>, <c>?sig=</c> and similar names. <c>*-pass</c> stands for all names that end with <c>-pass</c>; case does not matter. Default: none.
    /// </summary>
    public IList<string> CredentialNames { get; set; } = [];

    /// <summary>
    /// Gets or sets whether a connection to every endpoint stays open while there are calls, so that failover does not have to connect first. A HEAD request
    /// without credentials goes to each address every 30 s, over each client's own connections. Default false.
    /// </summary>
    public bool KeepStandbysWarm { get; set; }

    /// <summary>
    /// Gets or sets whether chat requests with an affinity key get the member <c>prompt_cache_key</c>, a hash of the affinity key. Only endpoints whose
    /// declared dialect has this member get it (OpenAI, and Azure OpenAI's <c>/openai/v1</c>). A <c>prompt_cache_key</c> of the caller is not changed. Default
    /// true.
    /// </summary>
    public bool SendPromptCacheKey { get; set; } = true;

    /// <summary>
    /// Gets or sets a function that counts the tokens of a text. Token limits use this count until the answer reports the real number. Example: <c>text =>
    /// tokenizer.CountTokens(text)</c> with a tokenizer of Microsoft.ML.Tokenizers. Default null: bytes ÷ 4. The function runs on any thread, for each text of
    /// a JSON request, if the pool has token limits and the profile has no number of tokens. The property can be set only in code.
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
        if (SettingRange.Find($"{path}:{nameof(MaxReplayBytes)}", MaxReplayBytes, 0, MostBytes) is { } replay)
            yield return replay;
        if (SettingRange.Find($"{path}:{nameof(MaxAnswerBytes)}", MaxAnswerBytes, 64 * 1024, MostBytes) is { } answer)
            yield return answer;
        if (CredentialNames.Any(n => n.Trim().Length < 2))
            yield return $"{path}:CredentialNames has a name of fewer than two characters, which would match too many headers. Give a longer name.";
    }
}
