namespace HaKit.Recording;

/// <summary>Sets the folder and the sizes of a flight recorder. Not thread-safe; read once when the recorder is created.</summary>
public sealed class FlightRecorderOptions
{
    /// <summary>Gets or sets the folder of the recording. It is created if it does not exist. Required.</summary>
    public string Folder { get; set; } = "";

    /// <summary>
    /// Gets or sets the maximum size of one pool's recordings in the folder, in bytes. If the recordings grow larger, the oldest files are deleted. Default 512
    /// MiB; at least twice <see cref="SegmentBytes"/>.
    /// </summary>
    public long MaxBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>Gets or sets the size at which a new file begins, in bytes. Default 8 MiB; at least 64 KiB.</summary>
    public int SegmentBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets or sets how often the recorder writes. A process that is killed loses at most the entries since the last write. Default 5 s; from 100 ms to 5
    /// minutes.
    /// </summary>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets how many entries may wait in memory; each needs about 130 bytes. The number is rounded up to a power of two. If the memory is full, further
    /// entries are dropped and counted. Each call and each attempt makes one entry. Default 16,384; from 16 to 1,048,576.
    /// </summary>
    public int Capacity { get; set; } = 16_384;

    internal FlightRecorderOptions Copy() => (FlightRecorderOptions)MemberwiseClone();

    internal IEnumerable<string> Validate()
    {
        if (string.IsNullOrWhiteSpace(Folder))
            yield return "Flight recorder: Folder is empty: a recording needs a folder. Set Folder, for example to \"recordings\".";
        else if (Placeholder.IsTemplate(Folder))
            yield return "Flight recorder: Folder has a placeholder in it, such as '<folder>' or '${FOLDER}'. Give the real folder, for example \"recordings\".";
        else if (Folder is ['~', '/' or '\\', ..])
            yield return $"Flight recorder: Folder is '{Folder}', and only a shell replaces '~'. Give the whole path, such as \"/var/lib/app/recordings\".";
        else if (File.Exists(Folder))
            yield return $"Flight recorder: Folder is '{Folder}', which is a file: a folder is needed. Give another path.";
        if (SegmentBytes < 64 * 1024)
            yield return $"Flight recorder: SegmentBytes is {SegmentBytes}: at least 65536 is needed.";
        if (MaxBytes < 2L * SegmentBytes)
            yield return $"Flight recorder: MaxBytes is {MaxBytes}: at least twice SegmentBytes ({SegmentBytes}) is needed.";
        if (FlushInterval < TimeSpan.FromMilliseconds(100) || FlushInterval > TimeSpan.FromMinutes(5))
            yield return $"Flight recorder: FlushInterval is {DurationText.OfSetting(FlushInterval)}: from 100 ms to 5 min is needed.";
        if (Capacity is < 16 or > 1_048_576)
            yield return $"Flight recorder: Capacity is {Capacity}: from 16 to 1048576 is needed.";
    }
}
