using System.Globalization;
using System.Runtime.InteropServices;

namespace HaKit.Testing;

/// <summary>
/// The answers of the fakes. An answer depends only on the request and is the same on every fake. Therefore a test can check a whole answer, whichever endpoint
/// gave it. Thread-safe.
/// </summary>
public static class FakeAnswers
{
    // The words are readable on every terminal. Some contain characters of two or three bytes, so that a body can be cut within a character.
    private static readonly string[] Nouns =
    [
        " server", " replica", " quorum", " lease", " heartbeat", " standby", " model", " pool", " endpoint", " token", " café", " señal", " Zürich", " client’s", " café’s", " naïve",
    ];

    private static readonly string[] Verbs =
    [
        " answers", " waits", " serves", " returns", " fails", " moves", " holds", " asks", " recovers", " counts", " sees", " knows", " finds", " keeps", " starts", " ends",
    ];

    /// <summary>
    /// Returns the answer to a prompt: a mark that is different for each prompt, followed by plain words, as in <c>answer-089be207b544f1e4: the standby
    /// answers and the lease holds</c>.
    /// </summary>
    /// <param name="prompt">The text of the last message; see <see cref="FakeRequest.Prompt"/>.</param>
    /// <param name="maxTokens">The exact number of tokens (chunks of a stream) in the answer; null for 8 to 23, depending on the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxTokens"/> is not positive.</exception>
    public static string AnswerTo(string prompt, int? maxTokens = null) => string.Concat(TokensOf(prompt, maxTokens));

    /// <summary>Returns the vector of a text. It has unit length and depends on the model.</summary>
    /// <param name="text">The embedded text.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="dimensions">The vector's length; default 16.</param>
    public static float[] EmbeddingOf(string text, string model = "", int dimensions = 16)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimensions);
        var state = Hash(model, Hash(text));
        var vector = new float[dimensions];
        var sum = 0.0;
        for (var i = 0; i < dimensions; i++)
        {
            vector[i] = (Next(ref state) >> 40) / (float)(1 << 23) - 1;
            sum += vector[i] * (double)vector[i];
        }

        for (var i = 0; i < dimensions; i++)
            vector[i] = (float)(vector[i] / Math.Sqrt(sum));
        return vector;
    }

    /// <summary>Returns the text that represents an image in <see cref="FakeRequest.Prompt"/>.</summary>
    /// <param name="image">The image's bytes.</param>
    public static string ImageMark(ReadOnlySpan<byte> image) => MarkOfBase64(Convert.ToBase64String(image));

    /// <summary>Returns the id of an uploaded file.</summary>
    /// <param name="content">The file's bytes.</param>
    public static string FileIdOf(ReadOnlySpan<byte> content) => "file-" + Hex(Hash(content));

    /// <summary>Returns the number of tokens of a text: a quarter of its characters, rounded up.</summary>
    /// <param name="text">The text.</param>
    public static int CountTokens(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return (text.Length + 3) / 4;
    }

    internal static string[] TokensOf(string prompt, int? maxTokens)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (maxTokens is { } most)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most, nameof(maxTokens));
        var state = Hash(prompt);
        var tokens = new string[maxTokens ?? 8 + (int)(state & 15)];
        tokens[0] = $"answer-{Hex(state)}:";
        for (var i = 1; i < tokens.Length; i++)
        {
            tokens[i] = (i % 4) switch
            {
                1 => " the",
                2 => Nouns[Next(ref state) & 15],
                3 => Verbs[Next(ref state) & 15],
                _ => " and",
            };
        }
        return tokens;
    }

    internal static string MarkOfBase64(string base64) => $"[image {Hex(Hash(base64))}]";

    internal static ulong Hash(string text, ulong seed = 14695981039346656037) => Hash(MemoryMarshal.AsBytes(text.AsSpan()), seed);

    // FNV-1a, then SplitMix64. The result is the same on every machine, unlike that of string.GetHashCode.
    private static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed = 14695981039346656037)
    {
        foreach (var b in bytes)
            seed = (seed ^ b) * 1099511628211;
        return seed;
    }

    private static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static string Hex(ulong value) => value.ToString("x16", CultureInfo.InvariantCulture);
}
