using System.IO.Compression;
using System.Text;
using HaKit.Recording;

namespace HaKit.Tests.Recording;

/// <summary>Gets all bytes of a recording as text, with decompressed blocks and without the reader of recordings, for searches.</summary>
internal static class RecordingText
{
    public static string Of(string folder)
    {
        var text = new StringBuilder();
        foreach (var file in Directory.GetFiles(folder))
        {
            text.Append(Path.GetFileName(file));
            var bytes = File.ReadAllBytes(file);
            text.Append(Encoding.Latin1.GetString(bytes));
            for (var at = SegmentHeader.Length; at < bytes.Length;)
            {
                var stored = BitConverter.ToInt32(bytes, at + 4);
                var entries = new byte[BitConverter.ToInt32(bytes, at + 8)];
                if (stored == entries.Length)
                    bytes.AsSpan(at + BlockHeader.Length, stored).CopyTo(entries);
                else
                    BrotliDecoder.TryDecompress(bytes.AsSpan(at + BlockHeader.Length, stored), entries, out _).Should().BeTrue();
                text.Append(Encoding.Latin1.GetString(entries));
                at += BlockHeader.Length + stored;
            }
        }
        return text.ToString();
    }
}
