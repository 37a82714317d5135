using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace HaKit.Release.Tests.Shape;

/// <summary>Parses the sources of the shipped projects.</summary>
internal static class SourceFiles
{
    private static readonly Lazy<IReadOnlyList<SyntaxNode>> s_roots = new(() =>
        [.. Paths.Select(static path => Parse(File.ReadAllText(path), Path.GetRelativePath(Repository.PathOf("src"), path)))]);

    /// <summary>One root for each file; its path is relative to <c>src</c>.</summary>
    public static IReadOnlyList<SyntaxNode> Roots => s_roots.Value;

    public static IEnumerable<string> Paths => Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
        .Where(static file => !IsBelow(file, "obj") && !IsBelow(file, "bin"));

    public static SyntaxNode Parse(string text, string path = "a.cs") =>
        CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Preview), path).GetRoot();

    /// <summary>Gets the place at which a node begins, for a message.</summary>
    public static string PlaceOf(SyntaxNode node) => $"{node.SyntaxTree.FilePath}:{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}";

    private static bool IsBelow(string file, string folder) => file.Contains($"{Path.DirectorySeparatorChar}{folder}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);
}
