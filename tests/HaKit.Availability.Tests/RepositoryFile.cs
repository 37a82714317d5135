namespace HaKit.Availability.Tests;

/// <summary>Finds files beside the compiled tests: of the repository, or of the shared data next to it.</summary>
internal static class RepositoryFile
{
    /// <summary>Gets the path. Null if there is no such file.</summary>
    public static string? Find(params string[] path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "HaKit.sln")))
                continue;
            var file = Path.Combine([folder.FullName, .. path]);
            return File.Exists(file) ? file : null;
        }

        return null;
    }
}
