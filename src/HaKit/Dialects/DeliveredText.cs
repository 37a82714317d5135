using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Records the delivered part of one streamed answer, as far as another endpoint needs it to continue the answer: the text, the values that every event
/// repeats, and the reason that prevents a continuation. One for each answer, across its seams; not thread-safe. Only its buffer for the text grows.
/// </summary>
/// <param name="mostCharacters">The maximum length. A longer text is not kept, so it is not continued.</param>
internal sealed class DeliveredText(int mostCharacters)
{
    private readonly ArrayBufferWriter<char> _text = new(1024);

    /// <summary>Gets the text.</summary>
    public string Text => _text.WrittenSpan.ToString();

    /// <summary>Gets the length of the text in characters.</summary>
    public int Length => _text.WrittenCount;

    /// <summary>Gets the number of items that contained text.</summary>
    public int Pieces { get; private set; }

    /// <summary>Gets why the answer cannot be continued. Null: nothing prevents it. The first reason stays.</summary>
    public NotContinuedReason? Obstacle { get; private set; }

    /// <summary>Gets or sets the answer's id as JSON. Null while it is not known.</summary>
    public byte[]? Id { get; set; }

    /// <summary>Gets or sets when the answer was created, as JSON. Null while it is not known.</summary>
    public byte[]? Created { get; set; }

    /// <summary>Gets or sets the model that the answer names, as JSON. Null while it is not known.</summary>
    public byte[]? Model { get; set; }

    /// <summary>Gets or sets the prompt tokens that the first part reported.</summary>
    public long? PromptTokens { get; set; }

    /// <summary>Gets or sets the index of the block with the text, if the format has blocks.</summary>
    public int Block { get; set; } = -1;

    /// <summary>Gets or sets whether that block is open.</summary>
    public bool IsBlockOpen { get; set; }

    /// <summary>Gets or sets whether the finish reason was delivered. Only the end mark is missing then.</summary>
    public bool HasReason { get; set; }

    /// <summary>Gets the number of delivered tokens at each seam so far.</summary>
    public List<long> TokensAtSeams { get; } = [];

    /// <summary>Gets the estimated number of delivered tokens.</summary>
    public long Tokens => AnswerSeam.EstimateTokens(Length, Pieces);

    public void PreventContinuation(NotContinuedReason reason) => Obstacle ??= reason;

    /// <summary>Adds the JSON string at the reader's current position.</summary>
    public void Add(ref System.Text.Json.Utf8JsonReader reader)
    {
        var most = reader.HasValueSequence ? (int)reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (most == 0)
            return;
        if (_text.WrittenCount + most > mostCharacters)
        {
            PreventContinuation(NotContinuedReason.TooLong);
            return;
        }
        try
        {
            _text.Advance(reader.CopyString(_text.GetSpan(most)));
            Pieces++;
        }
        catch (InvalidOperationException)
        {
            PreventContinuation(NotContinuedReason.OtherContent); // half a character: no other server can continue from there
        }
    }
}
