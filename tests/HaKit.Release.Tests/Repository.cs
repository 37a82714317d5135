namespace HaKit.Release.Tests;

internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The package of the command <c>hakit</c>, which has no public surface.</summary>
    public const string Tool = "HaKit.Tool";

    /// <summary>Gets the packages that a project can refer to: all packages except the tool.</summary>
    public static IReadOnlyList<string> Libraries => [.. Packages.Where(p => p != Tool)];

    /// <summary>Gets the packages by the names of their projects.</summary>
    public static IReadOnlyList<string> Packages { get; } =
        [.. Directory.GetDirectories(PathOf("src")).Select(d => Path.GetFileName(d)!).Where(n => File.Exists(PathOf("src", n, n + ".csproj"))).Order(StringComparer.Ordinal)];

    /// <summary>Gets the files of the repository below a folder, without the output of the build.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Where(static f => !f.Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj" or "node_modules"));

    private static string Find(DirectoryInfo folder) =>
        File.Exists(Path.Combine(folder.FullName, "HaKit.sln")) ? folder.FullName : Find(folder.Parent!);
}
