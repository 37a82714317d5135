using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// What a caller has received of one streamed answer, as far as another endpoint needs it to go on: the text, the names that every event repeats, and what
/// stands in the way of a continuation. One for each answer, over its seams; not thread-safe. It grows with the text and allocates nothing else.
/// </summary>
/// <param name="mostCharacters">A longer text is not kept, and so not continued.</param>
internal sealed class DeliveredText(int mostCharacters)
{
    private readonly ArrayBufferWriter<char> _text = new(1024);

    /// <summary>The text.</summary>
    public string Text => _text.WrittenSpan.ToString();

    /// <summary>The text's length in characters.</summary>
    public int Length => _text.WrittenCount;

    /// <summary>The items that brought text.</summary>
    public int Pieces { get; private set; }

    /// <summary>Why it cannot be continued; null: nothing stands in the way. The first reason stays.</summary>
    public NotContinuedReason? Obstacle { get; private set; }

    /// <summary>The answer's id as JSON; null while it is not known.</summary>
    public byte[]? Id { get; set; }

    /// <summary>When it was created, as JSON; null while it is not known.</summary>
    public byte[]? Created { get; set; }

    /// <summary>The model that it names, as JSON; null while it is not known.</summary>
    public byte[]? Model { get; set; }

    /// <summary>Tokens of the prompt as the first part reported them.</summary>
    public long? PromptTokens { get; set; }

    /// <summary>The index of the block that the text is in, where the format has blocks.</summary>
    public int Block { get; set; } = -1;

    /// <summary>Is that block open?</summary>
    public bool IsBlockOpen { get; set; }

    /// <summary>Was the reason of its end delivered? Then only the mark of the end is missing.</summary>
    public bool HasReason { get; set; }

    /// <summary>Tokens that had been delivered at each seam so far.</summary>
    public List<long> TokensAtSeams { get; } = [];

    /// <summary>Tokens that have been delivered, estimated.</summary>
    public long Tokens => AnswerSeam.EstimateTokens(Length, Pieces);

    public void Bar(NotContinuedReason reason) => Obstacle ??= reason;

    /// <summary>Adds a text that is the value of the JSON string at which the reader stands.</summary>
    public void Add(ref System.Text.Json.Utf8JsonReader reader)
    {
        var most = reader.HasValueSequence ? (int)reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (most == 0)
            return;
        if (_text.WrittenCount + most > mostCharacters)
        {
            Bar(NotContinuedReason.TooLong);
            return;
        }
        try
        {
            _text.Advance(reader.CopyString(_text.GetSpan(most)));
            Pieces++;
        }
        catch (InvalidOperationException)
        {
            Bar(NotContinuedReason.OtherContent); // half a character: no other server can go on from there
        }
    }
}
