namespace HaKit.Dialects;

/// <summary>Checks whether a text is one of a few short words. The first byte and the length already exclude nearly all other texts. Immutable.</summary>
internal sealed class WordSet
{
    private const int LongestWord = 31;

    private readonly uint[] _lengthsByFirst = new uint[256];
    private readonly byte[][] _words;

    public WordSet(params string[] words)
    {
        _words = Array.ConvertAll(words, System.Text.Encoding.UTF8.GetBytes);
        foreach (var word in _words)
        {
            if (word.Length is 0 or > LongestWord)
                throw new ArgumentException($"A word has 1 to {LongestWord} bytes.", nameof(words));
            _lengthsByFirst[word[0]] |= 1u << word.Length;
        }
    }

    public bool Contains(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= LongestWord && (_lengthsByFirst[text[0]] & 1u << text.Length) != 0 && IsWord(text);

    private bool IsWord(ReadOnlySpan<byte> text)
    {
        foreach (var word in _words)
        {
            if (text.SequenceEqual(word))
                return true;
        }

        return false;
    }
}
