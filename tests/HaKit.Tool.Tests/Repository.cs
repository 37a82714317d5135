namespace HaKit.Tool.Tests;

internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    /// <summary>Gets a file of the shared data beside the repository. Null if it does not exist.</summary>
    public static string? Shared(string name) => Path.Combine(Root, "..", "shared", "data", name) is var file && File.Exists(file) ? file : null;

    private static string Find(DirectoryInfo folder) =>
        File.Exists(Path.Combine(folder.FullName, "HaKit.sln")) ? folder.FullName : Find(folder.Parent!);
}
