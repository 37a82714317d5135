using System.Text;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Tests;

/// <summary>Names, contents and keys that no destination may see, in any form in which they could be written.</summary>
internal static class PlantedSecrets
{
    public const string FileName = "planted-folder/planted-name.txt";

    public const string Content = "planted-content";

    public static void ShouldNotBeIn(IEnumerable<byte[]> seen, params string[] keys)
    {
        byte[][] planted =
        [
            Encoding.UTF8.GetBytes("planted"), Encoding.Unicode.GetBytes("planted"), Encoding.UTF8.GetBytes("source"), Encoding.UTF8.GetBytes("idKey"),
            .. keys.SelectMany(s => (byte[][])[Encoding.UTF8.GetBytes(s), Encoding.UTF8.GetBytes(Convert.ToHexStringLower(Convert.FromBase64String(s))), Convert.FromBase64String(s)[..16], VaultKeyRing.Derive(Convert.FromBase64String(s))[..16]]),
        ];
        foreach (var bytes in seen)
            Array.Exists(planted, p => bytes.AsSpan().IndexOf(p) >= 0).Should().BeFalse();
    }
}
