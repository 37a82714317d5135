using System.Text.Json;

namespace HaKit.Heartbeats;

/// <summary>
/// Holds what a service reports at its heartbeat address: <c>{"schema":"hakit.heartbeat/1","status":"ready","running":3,"waiting":0,"capacity":8}</c>.
/// </summary>
internal readonly record struct ServiceHeartbeat(bool IsDraining, ReportedLoad Load)
{
    private const int LongestBody = 4096;

    /// <summary>Reads the body. Null for any other body.</summary>
    public static ServiceHeartbeat? Read(ReadOnlySpan<byte> body)
    {
        if (body.Length > LongestBody || body.IndexOf("hakit.heartbeat/1"u8) < 0)
            return null;
        try
        {
            return ReadObject(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ServiceHeartbeat? ReadObject(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        int running = 0, waiting = 0;
        int? capacity = null;
        bool isOurs = false, isDraining = false;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isSchema = reader.ValueTextEquals("schema"u8);
            var isStatus = reader.ValueTextEquals("status"u8);
            var isRunning = reader.ValueTextEquals("running"u8);
            var isWaiting = reader.ValueTextEquals("waiting"u8);
            var isCapacity = reader.ValueTextEquals("capacity"u8);
            reader.Read();
            if (isSchema)
                isOurs = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("hakit.heartbeat/1"u8);
            else if (isStatus)
                isDraining = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("draining"u8);
            else if (isRunning)
                running = ReadCount(ref reader) ?? 0;
            else if (isWaiting)
                waiting = ReadCount(ref reader) ?? 0;
            else if (isCapacity)
                capacity = ReadCount(ref reader);
            else
                reader.Skip();
        }
        return isOurs ? new ServiceHeartbeat(isDraining, new ReportedLoad(running, waiting, 0) { Capacity = capacity }) : null;
    }

    private static int? ReadCount(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var count))
            return Math.Clamp(count, 0, ReportedLoad.MaxCount);
        reader.TrySkip();
        return null;
    }
}
