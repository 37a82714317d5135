namespace HaKit.Tool;

/// <summary>Creates files that options name.</summary>
internal static class OutputFile
{
    /// <exception cref="UsageException">The file cannot be written; the message names the option.</exception>
    public static FileStream Create(string option, string file)
    {
        try
        {
            return File.Create(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option} is '{file}', which cannot be written: {exception.Message}");
        }
    }
}
