namespace HaKit.Continuity;

/// <summary>
/// Checks the places of a vault: the folders and containers of its destinations, its source and its state file. No message shows a SAS address. Pure, except
/// for the questions whether a path is a folder and where a link leads.
/// </summary>
internal static class VaultPlaces
{
    // Linux follows at most 40 links in one path. The limit ends the search in links that lead to each other.
    private const int MaxLinks = 40;

    public static IEnumerable<string> Problems(VaultOptions options)
    {
        for (var i = 0; i < options.Destinations.Count; i++)
        {
            var destination = options.Destinations[i];
            if (destination.Folder is { } folder && FolderProblem(folder) is { } wrongFolder)
                yield return $"Destinations:{i}:Folder of '{destination.Name}' {wrongFolder}";
            if (destination.BlobSas is { } sas && SasProblem(sas) is { } wrongSas)
                yield return $"Destinations:{i}:BlobSas of '{destination.Name}' {wrongSas}";
        }
        foreach (var problem in Shared(options.Destinations).Concat(Around(options)))
            yield return problem;
    }

    /// <summary>
    /// Returns the name of a destination with a folder that contains the path, is the path, or (unless <paramref name="onlyInside"/> is true) is in the path. Null: no
    /// such destination.
    /// </summary>
    public static string? Touching(VaultOptions options, string path, bool onlyInside = false)
    {
        foreach (var destination in options.Destinations)
        {
            if (FolderOf(destination) is { Length: > 0 } folder && !File.Exists(folder) && (IsIn(path, folder) || !onlyInside && IsIn(folder, path)))
                return destination.Name;
        }
        return null;
    }

    /// <summary>Throws if a method was given no path. A missing path usually comes from a configuration that does not have it.</summary>
    /// <exception cref="ArgumentException">The path is null or blank.</exception>
    public static void ThrowIfBlank([System.Diagnostics.CodeAnalysis.NotNull] string? path, string parameter, string method)
    {
        var message = $"{method} of the vault was given no path: {parameter} is {(path is null ? "null" : $"'{path}'")}. Perhaps the configuration does not have it. Give the path of a file or folder.";
        if (path is null)
            throw new ArgumentNullException(parameter, message);
        if (string.IsNullOrWhiteSpace(path))
            throw new ArgumentException(message, parameter);
    }

    private static string? FolderProblem(string folder)
    {
        if (string.IsNullOrWhiteSpace(folder))
            return "is empty. Give the path of a folder, such as '/mnt/backup/app'.";
        if (Placeholder.IsTemplate(folder))
            return "has a placeholder in it, such as '<folder>' or '${FOLDER}'. Give the real path.";
        return HomeProblem(folder);
    }

    private static string? HomeProblem(string path) =>
        path is "~" or ['~', '/' or '\\', ..] ? $"is '{path}', and only a shell replaces '~'. Give the whole path, such as '/home/app/backup'." : null;

    private static string? SasProblem(string sas)
    {
        const string Form = "such as 'https://account.blob.core.windows.net/container?sv=…'.";
        if (Placeholder.IsTemplate(sas))
            return "has a placeholder in it. Give the real address of the container with its SAS query.";
        if (!Uri.TryCreate(sas, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.Query.Length <= 1)
            return $"is not the address of a container with its SAS query, {Form}";
        if (address.AbsolutePath.Trim('/').Length == 0)
            return $"names no container. Give the address of a container, {Form}";
        var permissions = address.Query.TrimStart('?').Split('&').FirstOrDefault(static p => p.StartsWith("sp=", StringComparison.Ordinal))?[3..];
        return permissions is not null && !(permissions.Contains('r') && permissions.Contains('l') && permissions.AsSpan().ContainsAny('w', 'c'))
            ? $"allows '{permissions}' only (sp), and a vault reads, lists and writes. Create a SAS with the permissions 'rwdl'."
            : null;
    }

    private static IEnumerable<string> Shared(IList<VaultDestinationOptions> destinations)
    {
        for (var i = 0; i < destinations.Count; i++)
        {
            for (var j = i + 1; j < destinations.Count; j++)
            {
                var (one, other) = (destinations[i], destinations[j]);
                if (FolderOf(one) is { Length: > 0 } a && FolderOf(other) is { Length: > 0 } b && (IsIn(a, b) || IsIn(b, a)))
                    yield return $"Destinations '{one.Name}' and '{other.Name}' {(IsIn(a, b) && IsIn(b, a) ? "have the same folder" : "have a folder in the folder of the other")}. Give each destination a folder of its own, on another disk.";
                if (one.BlobSas is { } first && other.BlobSas is { } second && Container(first) is { } container && container == Container(second))
                    yield return $"Destinations '{one.Name}' and '{other.Name}' have the same container. Give each destination a container of its own.";
            }
        }
    }

    private static IEnumerable<string> Around(VaultOptions options)
    {
        if (options.Source is { } source)
        {
            if (string.IsNullOrWhiteSpace(source) || Placeholder.IsTemplate(source))
                yield return "Source is empty or a placeholder. Give the file or folder that the schedule saves.";
            else if (HomeProblem(source) is { } home)
                yield return $"Source {home}";
            else if (Touching(options, source) is { } destination)
                yield return $"Source is '{source}', and it has the folder of destination '{destination}' in it, or lies in that folder. Keep the source and the destinations apart.";
        }
        if (options.StateFile is not { } state)
            yield break;
        if (string.IsNullOrWhiteSpace(state) || Directory.Exists(state))
            yield return $"StateFile is '{state}': the path of a file is needed, such as '/var/lib/app/vault.state'.";
        else if (HomeProblem(state) is { } home)
            yield return $"StateFile {home}";
        else if (Touching(options, state, onlyInside: true) is { } destination)
            yield return $"StateFile is '{state}', which lies in the folder of destination '{destination}'. Give it a path on this machine, outside the destinations.";
    }

    private static string? Container(string sas) => Uri.TryCreate(sas, UriKind.Absolute, out var address) ? address.GetLeftPart(UriPartial.Path).TrimEnd('/') : null;

    // A folder can also be given in code.
    private static string? FolderOf(VaultDestinationOptions destination) => destination.Folder ?? (destination.Given() as FolderDestination)?.Root;

    private static bool IsIn(string path, string folder) => (RealPath(path).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar)
        .StartsWith(RealPath(folder).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    // Two paths can lead to one folder, because a parent of the folder is a link. The end of a path that does not exist yet stays as it is.
    private static string RealPath(string path, int links = 0)
    {
        path = Path.GetFullPath(path);
        var real = Path.GetPathRoot(path)!;
        foreach (var part in path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            var parent = real;
            real = Path.Combine(parent, part);
            if (links < MaxLinks && LinkTarget(real) is { } target)
                real = RealPath(Path.GetFullPath(target, parent), links + 1);
        }
        return real;
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // the operation itself reports a path that cannot be read
        }
    }
}
