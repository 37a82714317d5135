using System.Security.Cryptography;
using System.Text.Json;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Reads and writes the file in which this machine remembers the vault's latest snapshot. Thread-safe; other processes may use the file too.</summary>
internal static class StateFile
{
    // Saves may run at the same time, also in two vaults that have the same state file.
    private static readonly Lock s_write = new();

    /// <summary>Reads the state. Null if there is none.</summary>
    /// <exception cref="VaultException">The file cannot be read; the message contains the remedy.</exception>
    public static LocalState? Read(string? file)
    {
        if (file is null || !File.Exists(file))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ContinuityJson.Default.LocalState);
        }
        catch (JsonException)
        {
            throw new VaultException($"The state file '{file}' cannot be read. Delete it. The vault then works without the state that it remembered.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VaultException($"The state file '{file}' cannot be read: {e.Message} Correct the path or its permissions.", e);
        }
    }

    /// <summary>Writes the state, unless the file already has a later snapshot of the same vault. Returns why the file cannot be written. Null: it is written.</summary>
    public static VaultException? TryWrite(string? file, LocalState state)
    {
        if (file is null)
            return null;
        try
        {
            lock (s_write)
            {
                // A save that began earlier may end later.
                if (Read(file) is not { } known || known.Vault != state.Vault || known.LastNumber < state.LastNumber)
                    Write(file, state);
            }
            return null;
        }
        catch (VaultException e)
        {
            return e;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new VaultException($"The state file '{file}' cannot be written: {e.Message} Correct the path or its permissions.", e);
        }
    }

    private static void Write(string file, LocalState state)
    {
        UnixFiles.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        // Another process may write the state at the same time, so each writer has a temporary file of its own.
        var temporary = $"{file}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.new";
        try
        {
            using (var stream = new FileStream(temporary, UnixFiles.NewPrivateFile()))
            {
                JsonSerializer.Serialize(stream, state, ContinuityJson.Default.LocalState);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, file, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
