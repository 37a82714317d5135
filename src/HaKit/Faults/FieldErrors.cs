using System.Text;
using System.Text.Json;
using HaKit.Dialects;
using static HaKit.Faults.ErrorMembers;

namespace HaKit.Faults;

/// <summary>
/// Reads which member of the request an error names. Some servers write its name in a member of the error (<c>param</c>, <c>field</c>, <c>pointer</c>). ASP.NET
/// and Laravel write an object with a list for each wrong member (<c>"errors":{"messages":["…"]}</c>). Other frameworks write an array with the place of each
/// error. Pure; allocates nothing.
/// </summary>
internal static class FieldErrors
{
    private const int LongestName = 64;

    private static readonly WordSet s_lists = new("errors", "violations", "invalid-params", "invalid_params", "invalidParams", "validation_errors", "validationErrors");

    private static readonly WordSet s_places = new("param", "field", "pointer", "propertyPath", "loc", "source");

    // Names that do not show that the request is wrong. "model": another endpoint may have the model. "None": LiteLLM writes it if there is no name. The other
    // names are used for errors that belong to no member, or are names of headers, keys and places, which the configuration of an endpoint decides.
    private static readonly WordSet s_noMembers = new(
        "model", "none", "null", "message", "msg", "detail", "details", "error", "errors", "code", "status", "base", "general", "global", "non_field_errors", "nonfielderrors", "_schema", "_errors",
        "authorization", "api_key", "apikey", "key", "token", "access_token", "credential", "credentials", "api_version", "apiversion", "anthropic_version", "version", "region", "location", "country",
        "organization", "organisation", "organization_id", "org", "org_id", "openai_organization", "openai_project", "project", "project_id", "account", "account_id", "user", "tenant", "tenant_id", "workspace",
        "subscription", "host", "url", "base_url", "path", "endpoint", "deployment", "deployment_id", "engine", "header", "headers", "content_type", "accept", "origin", "ip");

    private static readonly WordSet s_messages = new("message", "Message", "msg", "detail");

    // The first element of a FastAPI location. The members of a form and of JSON are members of the request's body, the others are not.
    private static readonly WordSet s_bodies = new("body", "form", "json");

    private static readonly WordSet s_noBodies = new("header", "headers", "query", "path", "cookie", "cookies");

    /// <summary>Checks whether a member of this name lists the wrong members of the request.</summary>
    public static bool IsList(ReadOnlySpan<byte> name) => s_lists.Contains(name);

    /// <summary>Checks whether a member of an error with this name has the place of the mistake in the request.</summary>
    public static bool IsPlace(ReadOnlySpan<byte> name) => s_places.Contains(name);

    /// <summary>Reads a list: an array of errors with their places, or an object with a list of messages for each member.</summary>
    public static void Read(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.StartArray)
                    Read(ref reader, ref signs);
                else
                    ReadEach(ref reader, ref signs, ReadPlace);
            }
        }
        else
        {
            ReadEach(ref reader, ref signs, ReadMessages);
        }
    }

    /// <summary>Reads a member of an error: the place of the mistake, if the member has it.</summary>
    public static void ReadPlace(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("source"u8))
        {
            ReadEach(ref reader, ref signs, ReadSource);
            return;
        }
        if (name.SequenceEqual("loc"u8))
        {
            ReadLocation(ref reader, ref signs);
            return;
        }
        if ((IsPlace(name) || name.SequenceEqual("name"u8)) && reader.TokenType == JsonTokenType.String)
            signs.NamesField |= IsMember(reader.ValueSpan);
        reader.Skip();
    }

    // FastAPI: ["body","messages",0,"content"], or the place of a mistake in the JSON: ["body",12]. Of ["header","x-api-key"] the request is not to blame.
    private static void ReadLocation(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }
        var (isInBody, isDecided, names) = (false, false, false);
        var depth = reader.CurrentDepth;
        try
        {
            while (reader.Read() && (reader.TokenType != JsonTokenType.EndArray || reader.CurrentDepth > depth))
            {
                if (reader.TokenType == JsonTokenType.StartObject)
                    reader.Skip();
                else if (!isDecided && reader.TokenType == JsonTokenType.String)
                    (isInBody, isDecided, names) = NextPart(reader.ValueSpan, isInBody);
                else if (!isDecided && reader.TokenType == JsonTokenType.Number)
                    names = true;
            }
        }
        finally
        {
            signs.NamesField |= names; // also of a body that is cut inside the array
        }
    }

    private static (bool IsInBody, bool IsDecided, bool Names) NextPart(ReadOnlySpan<byte> part, bool isInBody)
    {
        if (isInBody)
            return (true, true, IsMember(part));
        if (s_bodies.Contains(part))
            return (true, false, true);
        return (false, true, !s_noBodies.Contains(part) && IsMember(part));
    }

    // JSON:API
    private static void ReadSource(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.NamesField |= name.SequenceEqual("pointer"u8) && reader.TokenType == JsonTokenType.String && IsMember(reader.ValueSpan);
        reader.Skip();
    }

    // Only a list of messages: {"errors":{"message":"no such region"}} is one error, and not an error for each member.
    private static void ReadMessages(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.NamesField |= reader.TokenType == JsonTokenType.StartArray && IsMember(name);
        if (reader.TokenType == JsonTokenType.String && s_messages.Contains(name))
            signs.SetMessage(reader.ValueSpan, outer: true);
        reader.Skip();
    }

    /// <summary>Reads a message that is an object: Mistral puts FastAPI's list of errors into it.</summary>
    public static void ReadMessageObject(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("message"u8))
            ReadEach(ref reader, ref signs, ReadDetailList);
        else
            reader.Skip();
    }

    private static void ReadDetailList(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("detail"u8) && reader.TokenType == JsonTokenType.StartArray)
            Read(ref reader, ref signs);
        else
            reader.Skip();
    }

    // "messages", "$.messages[0]", "#/messages/0", "body.messages". The name of a header ("x-api-key", "headers.Authorization") is no member.
    private static bool IsMember(ReadOnlySpan<byte> name)
    {
        name = name.TrimStart("$#./"u8);
        if (name.StartsWith("body."u8) || name.StartsWith("body/"u8))
            name = name[5..];
        else if (name.StartsWith("data/attributes/"u8))
            name = name["data/attributes/".Length..];
        else if (IsInside(name, "query"u8) || IsInside(name, "path"u8))
            name = name[(name.IndexOfAny((byte)'.', (byte)'/') + 1)..];
        if (name.IsEmpty || name is [(byte)'x' or (byte)'X', (byte)'-' or (byte)'_', ..] || IsInside(name, "header"u8) || IsInside(name, "headers"u8) || IsInside(name, "cookie"u8) || IsInside(name, "cookies"u8))
            return false;
        Span<byte> lower = stackalloc byte[LongestName];
        if (name.Length > LongestName || Ascii.ToLower(name, lower, out var length) != System.Buffers.OperationStatus.Done)
            return true;
        lower = lower[..length];
        lower.Replace((byte)'-', (byte)'_');
        return !s_noMembers.Contains(lower);
    }

    // "query.api-version", "header/authorization".
    private static bool IsInside(ReadOnlySpan<byte> name, ReadOnlySpan<byte> container) =>
        name.Length > container.Length && name[container.Length] is (byte)'.' or (byte)'/' && Ascii.EqualsIgnoreCase(name[..container.Length], container);
}
