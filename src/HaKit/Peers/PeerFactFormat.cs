using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>
/// Writes and reads facts as JSON, in the same format for every link. A reader ignores members that it does not support, so that replicas of different versions
/// can work together. Thread-safe.
/// </summary>
public static class PeerFactFormat
{
    private const int MostBytes = 4096;
    private const int LongestName = 256;

    /// <summary>Writes all properties of a fact except its remaining time. Equal facts give equal text.</summary>
    /// <param name="fact">The fact.</param>
    public static string Identity(PeerFact fact)
    {
        ArgumentNullException.ThrowIfNull(fact);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
            WriteTo(json, fact);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads the text that <see cref="Identity"/> wrote. The remaining time is zero; the link sets it.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="fact">The fact.</param>
    /// <returns>False if the text is not a fact, or if its kind is of a later version.</returns>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out PeerFact? fact)
    {
        fact = null;
        if (utf8.Length > MostBytes)
            return false;
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using var document = JsonDocument.ParseValue(ref reader);
            fact = Read(document.RootElement);
            return fact is not null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException or KeyNotFoundException)
        {
            return false;
        }
    }

    private static void WriteTo(Utf8JsonWriter json, PeerFact fact)
    {
        json.WriteStartObject();
        json.WriteNumber("format", fact.Format);
        json.WriteString("kind", fact.Kind.ToString());
        json.WriteString("subject", fact.Subject);
        json.WriteString("replica", fact.Replica);
        json.WriteNumber("version", fact.Version);
        json.WriteNumber("length", (long)fact.Length.TotalMilliseconds);
        if (fact.Fingerprint is not null)
            json.WriteString("fingerprint", fact.Fingerprint);
        if (fact.Kind == PeerFactKind.Opinion)
        {
            json.WriteString("opinion", fact.Opinion.ToString());
            json.WriteString("level", fact.Level.ToString());
        }
        if (fact.Fault is { } fault)
            json.WriteString("fault", fault.ToString());
        if (fact.Kind == PeerFactKind.Cooldown)
        {
            json.WriteString("reach", fact.Reach.ToString());
            json.WriteNumber("status", fact.StatusCode);
        }
        if (fact.Kind == PeerFactKind.Usage)
        {
            json.WriteNumber("requests", fact.Requests);
            json.WriteNumber("tokens", fact.Tokens);
        }
        if (fact.Order is { } order)
            WriteTo(json, order);
        json.WriteEndObject();
    }

    private static void WriteTo(Utf8JsonWriter json, SignedOrder order)
    {
        json.WriteStartObject("order");
        json.WriteString("order", order.Order.ToString());
        if (order.Tier is { } tier)
            json.WriteNumber("tier", tier);
        json.WriteString("by", order.By);
        if (order.Reason is { } reason)
            json.WriteString("reason", reason);
        json.WriteString("givenAt", order.GivenAt);
        json.WriteString("signature", order.Signature);
        json.WriteEndObject();
    }

    private static PeerFact? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !TryEnum(json, "kind", out PeerFactKind kind) || kind == PeerFactKind.Unknown)
            return null;
        var order = json.TryGetProperty("order", out var value) ? ReadOrder(value) : null;
        if (kind == PeerFactKind.Order && order is null)
            return null;
        TryEnum(json, "opinion", out PeerOpinion opinion);
        TryEnum(json, "level", out ProbeLevel level);
        TryEnum(json, "reach", out FaultReach reach);
        return new PeerFact
        {
            Format = json.TryGetProperty("format", out var format) ? format.GetInt32() : PeerFact.CurrentFormat,
            Kind = kind,
            Subject = Name(json, "subject"),
            Replica = Name(json, "replica"),
            Version = json.GetProperty("version"u8).GetInt64(),
            Length = TimeSpan.FromMilliseconds(json.GetProperty("length"u8).GetInt64()),
            Fingerprint = json.TryGetProperty("fingerprint", out _) ? Name(json, "fingerprint") : null,
            Opinion = opinion,
            Level = level,
            Fault = TryEnum(json, "fault", out FaultKind fault) ? fault : null,
            Reach = reach,
            StatusCode = json.TryGetProperty("status", out var status) ? status.GetInt32() : 0,
            Requests = json.TryGetProperty("requests", out var requests) ? requests.GetInt64() : 0,
            Tokens = json.TryGetProperty("tokens", out var tokens) ? tokens.GetInt64() : 0,
            Order = order,
        };
    }

    private static SignedOrder? ReadOrder(JsonElement json) => !TryEnum(json, "order", out PoolOrder order) ? null : new SignedOrder(
        order,
        json.TryGetProperty("tier", out var tier) ? tier.GetInt32() : null,
        Name(json, "by"),
        json.TryGetProperty("reason", out _) ? Name(json, "reason") : null,
        json.GetProperty("givenAt"u8).GetDateTimeOffset(),
        Name(json, "signature"));

    private static string Name(JsonElement json, string property)
    {
        if (!json.TryGetProperty(property, out var value) || value.GetString() is not { Length: <= LongestName } name)
            throw new FormatException($"'{property}' is missing or too long.");
        return name;
    }

    private static bool TryEnum<T>(JsonElement json, string property, out T value)
        where T : struct, Enum
    {
        // Enum.TryParse also accepts a number, such as "3". This format contains only names, so the text must be the name of a defined value.
        if (json.TryGetProperty(property, out var text) && text.ValueKind == JsonValueKind.String
            && Enum.TryParse(text.GetString(), ignoreCase: false, out value) && text.ValueEquals(value.ToString()) && Enum.IsDefined(value))
        {
            return true;
        }

        value = default;
        return false;
    }
}
