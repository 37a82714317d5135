namespace HaKit.Dialects;

/// <summary>
/// Holds the message of an error without quoted text, and its parts. Each part is found once, when it is first used. Lives on the stack.
/// </summary>
internal ref struct ServerMessage
{
    private int _lead = -1;
    private int _own = -1;

    /// <param name="words">The message, without quoted text.</param>
    public ServerMessage(ReadOnlySpan<char> words)
    {
        Words = words;
        Text = OwnMessage.AfterBeginnings(words);
    }

    /// <summary>Gets the message, without quoted text.</summary>
    public ReadOnlySpan<char> Words { get; }

    /// <summary>Gets the message after the names of exceptions and the beginnings that gateways put in front of it.</summary>
    public ReadOnlySpan<char> Text { get; }

    /// <summary>
    /// Gets the first clause: up to a colon, a dash or the end of the line. The text after it may be a caller's text without any marks ("Blocked by rule 12: why do
    /// I get …").
    /// </summary>
    public ReadOnlySpan<char> Lead
    {
        get
        {
            if (_lead < 0)
                _lead = ServerWords.Lead(Text).Length;
            return Text[.._lead];
        }
    }

    /// <summary>Gets the part of the first clause that is certainly the server's.</summary>
    public ReadOnlySpan<char> OwnLead => Own.Length < Lead.Length ? Own : Lead;

    /// <summary>
    /// Gets the part that is certainly the server's (<see cref="ServerVocabulary"/>). Only this part may decide about an account, a key, a model or a time to wait,
    /// because such a fault affects other callers.
    /// </summary>
    public ReadOnlySpan<char> Own
    {
        get
        {
            if (_own < 0)
                _own = ServerVocabulary.MeasureOwn(Text);
            return Text[.._own];
        }
    }
}
