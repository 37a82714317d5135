using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Names one stored object in a request.</summary>
/// <param name="Kind">The kind of object.</param>
/// <param name="Id">The object's id; never logged.</param>
internal readonly record struct StoredName(StateKind Kind, string Id);

/// <summary>Finds the ids of stored objects: in the paths and bodies of requests, and in answers that report new objects. Pure.</summary>
internal static class StoredNames
{
    private const int MostIds = 64;

    // The collections whose paths continue with the id of one object.
    private static readonly Dictionary<string, StateKind> s_collections = new(StringComparer.Ordinal)
    {
        ["responses"] = StateKind.Conversation,
        ["conversations"] = StateKind.Conversation,
        ["threads"] = StateKind.Conversation,
        ["files"] = StateKind.File,
        ["uploads"] = StateKind.File,
        ["vector_stores"] = StateKind.VectorStore,
        ["assistants"] = StateKind.StoredObject,
        ["containers"] = StateKind.StoredObject,
        ["batches"] = StateKind.StoredObject,
        ["cachedContents"] = StateKind.StoredObject,
        ["videos"] = StateKind.StoredObject,
        ["completions"] = StateKind.StoredObject,
    };

    private static readonly Dictionary<string, StateKind>.AlternateLookup<ReadOnlySpan<char>> s_byPart = s_collections.GetAlternateLookup<ReadOnlySpan<char>>();

    // The members of a request whose values are ids, alone or in an array.
    private static readonly Dictionary<string, StateKind> s_members = new(StringComparer.Ordinal)
    {
        ["previous_response_id"] = StateKind.Conversation,
        ["conversation"] = StateKind.Conversation,
        ["conversation_id"] = StateKind.Conversation,
        ["thread_id"] = StateKind.Conversation,
        ["file_id"] = StateKind.File,
        ["file_ids"] = StateKind.File,
        ["input_file_id"] = StateKind.File,
        ["fileUri"] = StateKind.File,
        ["file_uri"] = StateKind.File,
        ["vector_store_ids"] = StateKind.VectorStore,
        ["assistant_id"] = StateKind.StoredObject,
        ["container"] = StateKind.StoredObject,
        ["container_id"] = StateKind.StoredObject,
        ["batch_id"] = StateKind.StoredObject,
        ["cachedContent"] = StateKind.StoredObject,
        ["cached_content"] = StateKind.StoredObject,
    };

    private static readonly HashSet<string> s_onlyAtRoot =
        [.. s_members.Where(static m => m.Value == StateKind.Conversation).Select(static m => m.Key), "assistant_id", "batch_id", "cachedContent", "cached_content"];

    private static readonly WordSet s_memberNames = new([.. s_members.Keys]);

    /// <summary>Gets the stored object that a path names. Null: none.</summary>
    /// <param name="path">The path behind the pool's origin.</param>
    public static StoredName? InPath(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i + 1 < parts.Length; i++)
        {
            if (s_collections.TryGetValue(parts[i], out var kind) && parts[i + 1] is var id && id.Length > 3 && !s_collections.ContainsKey(id))
                return new(kind, Uri.UnescapeDataString(id.Split(':')[0]));
        }

        return null;
    }

    /// <summary>
    /// Checks whether the answer to a POST at this path reports a new stored object. The answers of chats are left out, because almost none of them is stored.
    /// </summary>
    /// <param name="path">The path behind the pool's origin.</param>
    public static bool AreMadeAt(string path) => LastPart(path) is var last && (s_byPart.ContainsKey(last) && last is not "completions" || last is "runs" or "compact");

    /// <summary>
    /// Checks whether the answer to a GET at this path is one stored object. It may report further objects, for example the files that a batch job has created.
    /// </summary>
    /// <param name="path">The path behind the pool's origin.</param>
    public static bool IsOneObjectAt(string path)
    {
        var rest = path.AsSpan().TrimEnd('/');
        return s_byPart.ContainsKey(LastPart(rest[..Math.Max(0, rest.LastIndexOf('/'))]));
    }

    private static ReadOnlySpan<char> LastPart(ReadOnlySpan<char> path)
    {
        path = path.TrimEnd('/');
        return path[(path.LastIndexOf('/') + 1)..];
    }

    /// <summary>Checks whether a member of this name may refer to a stored object.</summary>
    /// <param name="name">The name, without its quotes.</param>
    public static bool MightBeNamedBy(ReadOnlySpan<byte> name) => s_memberNames.Contains(name);

    /// <summary>
    /// Gets the stored objects that a request's body names. Only the endpoint that created these objects has them. So a refusal by another endpoint is no
    /// evidence against the request or against that endpoint. A member counts only in a place where a provider's interface has it (<see
    /// cref="RequestPlaces"/>): the application's own data may have members of the same name.
    /// </summary>
    /// <param name="json">The body.</param>
    public static List<StoredName> InBody(ReadOnlySpan<byte> json)
    {
        var found = new List<StoredName>();
        CollectTexts(json, found, static (name, inside, isAtRoot) => (isAtRoot || !IsOnlyAtRoot(name) ? KindOf(name) : null) ?? (name == "id" ? KindOf(inside) : null), isRequest: true);
        // A video on another server is not a stored object.
        found.RemoveAll(static n => n.Kind == StateKind.File && n.Id.Contains("://", StringComparison.Ordinal) && !n.Id.Contains("/files/", StringComparison.Ordinal));
        return found;
    }

    /// <summary>Gets the ids that an answer reports: the object itself, its conversation, its items, files and containers.</summary>
    /// <param name="json">The answer, or one event of it.</param>
    public static List<StoredName> InAnswer(ReadOnlySpan<byte> json)
    {
        var found = new List<StoredName>();
        CollectTexts(json, found, static (name, inside, _) => name switch
        {
            "id" => StateKind.Conversation,
            "name" or "uri" when inside is null or "file" => StateKind.File,
            "output_file_id" or "error_file_id" or "responsesFile" => StateKind.File,
            _ => KindOf(name),
        }, isRequest: false);
        return found;
    }

    private static StateKind? KindOf(string? member) => member is not null && s_members.TryGetValue(member, out var kind) ? kind : null;

    // A conversation, an assistant, a batch and a cached content are named by the request itself, and never by a part of its messages or tools.
    private static bool IsOnlyAtRoot(string member) => s_onlyAtRoot.Contains(member);

    private static bool MayHoldNames(string? member, bool isAtRoot, bool isObject)
    {
        if (member is null)
            return true;
        if (isAtRoot)
            return RequestPlaces.IsEnvelope(member) || RequestPlaces.IsContent(member) || s_members.ContainsKey(member);
        return !RequestPlaces.IsOfApplication(member, isObject) && !IsOnlyAtRoot(member);
    }

    // Moves into an object or array, or over it if it cannot name stored objects. False if the body is cut inside it.
    private static bool TryEnter(ref Utf8JsonReader reader, Stack<(string? Name, bool IsRoot, bool IsArray)> holders, ref string? member, bool isRequest)
    {
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        var (_, isAtRoot, isElement) = holders.TryPeek(out var holder) ? holder : (null, true, false);
        if (isRequest && !MayHoldNames(isElement ? null : member, isAtRoot, isObject))
            return reader.TrySkip();
        holders.Push((member, isAtRoot && (member is null || RequestPlaces.IsEnvelope(member)), !isObject));
        if (isObject)
            member = null;
        return true;
    }

    // Collects the texts that are values of members, each with the name of the member that contains the text's object.
    private static void CollectTexts(ReadOnlySpan<byte> json, List<StoredName> found, Func<string, string?, bool, StateKind?> kindOf, bool isRequest)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, state: default);
        var holders = new Stack<(string? Name, bool IsRoot, bool IsArray)>();
        string? member = null;
        try
        {
            while (found.Count < MostIds && reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        member = reader.ValueSpan.Length <= 32 ? reader.GetString() : "";
                        break;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        if (!TryEnter(ref reader, holders, ref member, isRequest))
                            return;
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        member = holders.TryPop(out var left) ? left.Name : null;
                        break;
                    case JsonTokenType.String when member is not null && kindOf(member, holders.TryPeek(out var holder) ? holder.Name : null, holder.IsRoot) is { } kind && reader.ValueSpan.Length is > 3 and < 512:
                        found.Add(new(kind, reader.GetString()!));
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // If the JSON is not valid, the ids before the error are used.
        }
    }
}
