using Microsoft.Extensions.Logging;

namespace HaKit.Recording;

internal static partial class RecordingLog
{
    [LoggerMessage(60, LogLevel.Warning, "Pool {Pool}: the recording cannot be written to '{Folder}' ({Why}). Give the recorder a folder that this process can write. Entries are dropped; the recorder tries again every minute. Calls are not affected.")]
    public static partial void CannotWrite(ILogger logger, string pool, string folder, string why);

    [LoggerMessage(61, LogLevel.Warning, "Pool {Pool}: {Count} entries of the recording were dropped, because the disk was too slow. Calls are not affected.")]
    public static partial void Dropped(ILogger logger, string pool, long count);

    [LoggerMessage(62, LogLevel.Information, "Pool {Pool}: the recording is written again; {Count} entries were dropped in the meantime.")]
    public static partial void WritesAgain(ILogger logger, string pool, long count);

    [LoggerMessage(63, LogLevel.Warning, "Pool {Pool}: old files of the recording in '{Folder}' cannot be deleted ({Why}), so the recording may take more than MaxBytes. The recording continues.")]
    public static partial void CannotDelete(ILogger logger, string pool, string folder, string why);
}
