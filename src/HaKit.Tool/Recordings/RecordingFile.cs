using System.CommandLine;
using HaKit.Recording;

namespace HaKit.Tool.Recordings;

/// <summary>The argument that names a recording, and the code that reads it.</summary>
internal static class RecordingFile
{
    public static Argument<string?> CreateArgument(bool isOptional = false) => new("RECORDING")
    {
        Description = "the folder that a flight recorder wrote to, or one of its files",
        Arity = isOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
    };

    public static Option<string?> CreatePoolNameOption() => CommandOptions.Text("--name", "POOL", "the name of the pool, if the folder has the recordings of several pools");

    /// <exception cref="UsageException">The file cannot be read, or it contains several pools.</exception>
    public static FlightRecording Read(string path, string? pool)
    {
        FlightRecording recording;
        try
        {
            recording = FlightRecording.Read(path, pool);
        }
        catch (FileNotFoundException) when (pool is not null && HasAny(path))
        {
            throw new UsageException($"--name is '{pool}', and '{path}' has no recording of a pool of this name. Give the pool's name as AddHaFlightRecorder has it, or leave --name out if the folder has the recordings of one pool.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"The recording '{path}' cannot be read: {exception.Message} Give the folder of AddHaFlightRecorder, or one of its files.");
        }
        if (recording is { Events.Count: 0, Problems: [var first, ..] })
            throw new UsageException($"The recording '{path}' cannot be read: {first} Give the folder of AddHaFlightRecorder, or one of its files.");
        var pools = recording.Events.OfType<RecordedConfiguration>().Select(static c => PoolOf(c.Json)).Distinct(StringComparer.Ordinal).ToArray();
        return pools.Length <= 1 ? recording : throw new UsageException($"The recording '{path}' is of {pools.Length} pools: {string.Join(", ", pools)}. Name one by --name.");
    }

    private static bool HasAny(string path)
    {
        try
        {
            return FlightRecording.Read(path).Files > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public static string PoolOf(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return document.RootElement.TryGetProperty("Pool", out var name) ? name.GetString() ?? "" : "";
    }
}
