namespace HaKit.Sample.Tests;

internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo folder) =>
        File.Exists(Path.Combine(folder.FullName, "HaKit.sln")) ? folder.FullName : Find(folder.Parent!);
}
