namespace HaKit.Tool;

/// <summary>Creates the files that options name.</summary>
internal static class OutputFile
{
    /// <exception cref="UsageException">The file cannot be written; the message names the option.</exception>
    public static FileStream Create(string option, string file) => Open(option, file, FileMode.Create);

    /// <summary>Opens a file for writing, and keeps its content.</summary>
    /// <exception cref="UsageException">The file cannot be written; the message names the option.</exception>
    public static FileStream Open(string option, string file) => Open(option, file, FileMode.OpenOrCreate);

    private static FileStream Open(string option, string file, FileMode mode)
    {
        try
        {
            return new FileStream(file, mode, FileAccess.Write, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option} is '{file}', which cannot be written: {exception.Message}");
        }
    }

    /// <summary>Creates a folder and writes to it once, so that a command does not start work if it cannot save the result.</summary>
    /// <exception cref="UsageException">The folder cannot be written to; the message names the option.</exception>
    public static void CreateFolder(string option, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            using (new FileStream(Path.Combine(folder, $".hakit-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option} is '{folder}', which cannot be written: {exception.Message}");
        }
    }
}
