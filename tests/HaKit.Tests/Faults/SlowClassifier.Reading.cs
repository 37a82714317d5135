using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Reads the facts and the waits.</summary>
internal static partial class SlowClassifier
{
    private static readonly string[] s_maybeArray = ["", "[]"];
    private static readonly string[] s_codes = ["code", "error_code", "errorCode", "errcode"];
    private static readonly string[] s_statuses = ["status", "status_code", "statusCode", "http_status", "http_status_code"];
    private static readonly string[] s_messages = ["message", "Message", "detail", "msg", "error_msg", "error_message", "errorMessage", "errmsg"];
    private static readonly string[] s_waitMembers =
    [
        "retry_after", "retryAfter", "retry_after_seconds", "retryAfterSeconds", "retry_after_secs", "retry_after_ms", "retryAfterMs", "reset_in", "resets_in", "reset_after", "reset_in_seconds", "resets_in_seconds",
        "estimated_time", "reset_at", "resets_at", "resetAt", "resetsAt", "retry_at", "retryAt", "retry-after", "retry_in", "retryIn",
    ];
    private static readonly string[] s_waitHeaders = ["retry-after", "x-ratelimit-reset"];
    private static readonly Dictionary<string, string> s_places = Places();
    private static readonly Regex s_filters = new("filter|safety|recitation|blocklist|blocked|prohibited|spii|sensitive|guardrail|moderation|modelarmor|refusal|refused|flagged|policy|violation|risk");
    private static readonly Regex s_failing = new(
        "error|abort|fail|cancel|timeout|timedout|malformed|unavailable|overload|interrupt|exception|unexpected|network|insufficient(?:system|resource|memory|capacity|balance|credit|fund)|disconnect|connection|crash|toomanytoolcalls|missingthoughtsignature|expired|internal|preempt|evict|killed|shutdown|noimage|imageother|unknown|invalid|ratelimit|throttl|loadshed|terminat|quota|capacity|busy|outofmemory|panic|lost|broken|gateway|reset|deadline|unfinish|incomplete|stall|dropped|reject|unhealthy|died|dead|closed|prematur|exited|unreachable|h[au]ngup|sig(?:term|kill|int|segv|abrt|pipe|hup)|segfault|(?:node|server|worker)down|stoppedearly|outage|offline|unresponsive|noresponse|notresponding|goneaway|restart|corrupt|draining|^(?:other|oom|nan|fault|shed)$");

    /// <summary>0: none, 1: an end, 2: a filter, 3: a failure.</summary>
    private static int EndOf(string reason)
    {
        var letters = Regex.Replace(reason, "[^A-Za-z0-9]", "").ToLowerInvariant();
        var word = letters[..Math.Min(letters.Length, 256)];
        return word is "" or "null" or "none" or "unspecified" or "finishreasonunspecified" or "reasonunspecified" or "notfinished" or "inprogress" ? 0
            : word is "modelcontextwindowexceeded" or "stopsequence" or "toolcalls" or "toolcall" or "functioncall" or "maxtokens" or "maxoutputtokens" ? 1
            : s_filters.IsMatch(word) || word == "language" ? 2 : s_failing.IsMatch(word) ? 3 : 1;
    }

    private static readonly string[] s_milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"];
    private static readonly string[] s_dimensions = ["requests", "tokens", "input-tokens", "output-tokens"];
    private static readonly string[] s_openDimensions = ["requests", "tokens"];
    private static readonly string[] s_namedDates = ["ddd, d MMM yyyy HH:mm:ss", "dddd, dd-MMM-yy HH:mm:ss", "ddd, dd-MMM-yyyy HH:mm:ss", "d MMM yyyy HH:mm:ss"];
    private static readonly string[] s_otherDates = ["ddd MMM d HH:mm:ss yyyy", "ddd, d MMM yyyy HH:mm:ss zzz", "ddd MMM d yyyy HH:mm:ss 'GMT'zzz"];
    private static readonly string[] s_instants = [.. from day in (string[])["yyyy-MM-dd'T'", "yyyy-MM-dd "] from time in (string[])["HH:mm:ss", "HH:mm:ss.FFFFFFF"] from zone in (string[])["K", "zzz"] select day + time + zone, "yyyyMMdd'T'HHmmssK"];
    private static readonly string[] s_waits =
        ["again in ", "again after ", "retry in ", "retry in: ", "retry after ", "retry after: ", "your request in ", "your request after ", "replenished in ", "wait ", "reset in ", "resets in ", "available in ", "retry-after: ", "retry_after: ", "reset after ", "resets after "];

    /// <summary>
    /// The paths that matter, each with the meaning of its value. <c>[]</c> is an array; <c>*Exception</c> is any name that ends with Exception.
    /// </summary>
    private static Dictionary<string, string> Places()
    {
        var places = new Dictionary<string, string>();
        foreach (var root in new[] { "", "[]/" })
        {
            places[root + "param"] = "param";
            AddFieldErrors(places, root + "message/detail");
            foreach (var list in (string[])[.. FieldLists, "detail"])
                AddFieldErrors(places, root + list);
            foreach (var name in new[] { "type", "error_type", "object", "raw_status_code", "__type" })
                places[root + name] = name;
            foreach (var name in s_waitMembers)
                places[root + name] = name;
            foreach (var name in s_codes)
                places[root + name] = "code";
            foreach (var name in s_statuses)
                places[root + name] = "status";
            foreach (var name in s_messages)
                places[root + name] = "message";
            places[root + "*Exception"] = "exception";
            places[root + "OriginalStatusCode"] = "original status";
            places[root + "done_reason"] = places[root + "finish_reason"] = places[root + "finishReason"] = "end";
            foreach (var wrap in new[] { "", "response/", "delta/", "messageStop/", "x_groq/", "meta_info/" })
            {
                if (wrap.Length > 0)
                    places[root + wrap + "finish_reason"] = places[root + wrap + "finish_reason/type"] = "end";
                places[root + wrap + "stop_reason"] = places[root + wrap + "stopReason"] = "end";
                places[root + wrap + "incomplete_details/reason"] = places[root + wrap + "incomplete_details[]/reason"] = "end";
            }

            foreach (var array in s_maybeArray)
            {
                places[$"{root}choices{array}/finish_reason/type"] = places[$"{root}choices{array}/finish_reason"] = places[$"{root}candidates{array}/finishReason"] = "end";
                places[$"{root}choices{array}/native_finish_reason"] = "native end";
                places[$"{root}promptFeedback{array}/blockReason"] = "blocked";
            }

            string[] objects = ["error", "response/error", "delta/error", "messageStop/error", "x_groq/error", "meta_info/error", "choices/error", "choices[]/error", "detail/error", "detail"];
            foreach (var error in (string[])[.. objects, .. objects.Where(e => e != "detail").Select(e => e + "[]"), "errors[]", "*Exception"])
            {
                AddFieldErrors(places, $"{root}{error}/message/detail");
                if (error is not ("*Exception" or "detail"))
                    places[root + error] = error.EndsWith("[]", StringComparison.Ordinal) ? "error of a list" : "error";
                places[$"{root}{error}/type"] = "error type";
                foreach (var name in s_waitMembers)
                    places[$"{root}{error}/{name}"] = name;
                foreach (var name in s_codes)
                    places[$"{root}{error}/{name}"] = "error code";
                foreach (var name in s_statuses)
                    places[$"{root}{error}/{name}"] = name == "status" ? "error status" : "error http status";
                foreach (var name in s_messages)
                    places[$"{root}{error}/{name}"] = "error message";
                AddPlaces(places, $"{root}{error}");
                foreach (var list in FieldLists)
                    AddFieldErrors(places, $"{root}{error}/{list}");
                foreach (var array in s_maybeArray)
                {
                    AddPlaces(places, $"{root}{error}/details{array}");
                    places[$"{root}{error}/details{array}/error_code"] = places[$"{root}{error}/details{array}/reason"] = "detail";
                    places[$"{root}{error}/details{array}/@type"] = "detail @type";
                    places[$"{root}{error}/details{array}/fieldViolations"] = "field";
                    places[$"{root}{error}/details{array}/retryDelay"] = "detail retryDelay";
                    foreach (var name in s_waitMembers)
                        places[$"{root}{error}/details{array}/{name}"] = places[$"{root}{error}/metadata{array}/{name}"] = name;
                    foreach (var name in s_waitHeaders)
                        places[$"{root}{error}/metadata{array}/headers/{name}"] = places[$"{root}{error}/metadata{array}/headers[]/{name}"] = "retry_after";
                    places[$"{root}{error}/details{array}/violations/quotaId"] = places[$"{root}{error}/details{array}/violations[]/quotaId"] = "quotaId";
                    foreach (var inner in new[] { "innererror", "inner_error" })
                    {
                        places[$"{root}{error}/{inner}{array}/*"] = "inner";
                        places[$"{root}{error}/{inner}{array}/code"] = "inner code";
                    }
                }
            }
        }

        return places;
    }

    private static string[] FieldLists => ["errors", "violations", "invalid-params", "invalid_params", "invalidParams", "validation_errors", "validationErrors"];

    private static void AddFieldErrors(Dictionary<string, string> places, string list)
    {
        if (!list.EndsWith("detail", StringComparison.Ordinal))
        {
            places[list + "/*"] = "messages of a member";
            foreach (var name in (string[])["message", "Message", "msg", "detail"])
                places[$"{list}/{name}"] = "message";
        }
        if (list is "errors" or "[]/errors")
            return; // an array of error objects
        AddPlaces(places, list + "[]");
        places[list + "[]/name"] = "param";
    }

    private static void AddPlaces(Dictionary<string, string> places, string error)
    {
        foreach (var name in new[] { "param", "field", "pointer", "propertyPath", "source/pointer", "source[]/pointer" })
            places[$"{error}/{name}"] = "param";
        places[$"{error}/loc"] = "location";
        places[$"{error}/loc[]"] = "location item";
    }

    private static bool IsMember(string name)
    {
        name = Regex.Replace(name.TrimStart('$', '#', '.', '/'), @"\A(?:body[./]|data/attributes/|(?i:query|path)[./])", "");
        if (name.Length > 64)
            return !Regex.IsMatch(name, @"\A(?:[xX][-_]|(?i:headers?|cookies?)[./])", RegexOptions.CultureInvariant);
        name = name.Replace('-', '_');
        return name.Length > 0 && !Regex.IsMatch(name, @"\A(?:[xX]_|(?i:headers?|cookies?)[./])", RegexOptions.CultureInvariant) && !Regex.IsMatch(name, @"\A(?i:model|authorization|api_?key|key|token|access_token|credentials?|api_?version|anthropic_version|version|region|location|country|organi[sz]ation|organization_id|org|org_id|openai_organization|openai_project|project|project_id|account|account_id|user|tenant|tenant_id|workspace|subscription|host|url|base_url|path|endpoint|deployment|deployment_id|engine|headers?|content_type|accept|origin|ip|none|null|message|msg|details?|errors?|code|status|base|general|global|non_?field_?errors|_schema|_errors)\z", RegexOptions.CultureInvariant);
    }

    /// <summary>Checks a location: after the name of the body, or without it, comes the name of a member. Numbers are positions.</summary>
    private static bool NamesMember(List<(bool IsText, string Text)> location)
    {
        var texts = location.Where(static p => p.IsText).Select(static p => p.Text).ToList();
        return texts switch
        {
            [] => location.Count > 0,
            ["body" or "form" or "json"] => true,
            ["body" or "form" or "json", var member, ..] => IsMember(member),
            ["header" or "headers" or "query" or "path" or "cookie" or "cookies", ..] => false,
            [var member, ..] => IsMember(member),
        };
    }

    private static string? PlaceOf(string path, out string exceptionMember)
    {
        var parts = path.Split(SlowBody.Separator);
        var first = parts[0] == "[]" && parts.Length > 1 ? 1 : 0;
        exceptionMember = parts[first];
        if (exceptionMember.EndsWith("Exception", StringComparison.Ordinal))
            parts[first] = "*Exception";
        if (parts.Length > 2 && parts[^2] is "headers" or "headers[]")
            parts[^1] = parts[^1].ToLowerInvariant();
        if (s_places.TryGetValue(string.Join(SlowBody.Separator, parts), out var place))
            return place;
        parts[^1] = "*";
        return s_places.GetValueOrDefault(string.Join(SlowBody.Separator, parts));
    }

    private static Facts Read(in FaultEvidence evidence)
    {
        var body = new SlowBody(evidence.Body.Span);
        var isJson = Regex.IsMatch(Encoding.Latin1.GetString(evidence.Body.Span), @"\A(?:ï»¿)?[ \t\r\n]*[\[{]");
        string code = "", detail = "", exception = "", type = "", status = "", outerCode = "", outerType = "", message = "", outerMessage = "", errorText = "";
        int bodyStatus = 0, originalStatus = 0;
        bool azure = false, google = false, typeError = false, mistral = false, hasObject = false, isError = false, perDay = false, names = false, field = false, endFailed = false, nativeFailed = false, filtered = false, ended = false;
        List<List<(bool IsText, string Text)>> locations = [];
        TimeSpan? delay = null;
        DateTimeOffset? back = null;

        Walk(body);
        if (WrappedIn(Chosen()) is { } wrapped)
        {
            var whole = Chosen();
            code = detail = exception = type = status = outerCode = outerType = message = outerMessage = errorText = "";
            azure = hasObject = false;
            Walk(new SlowBody(wrapped));
            isJson = true;
            if (Chosen().Length == 0)
                outerMessage = whole;
        }

        string Chosen() => message.Length > 0 ? message : errorText.Length > 0 && (outerMessage.Length == 0 || Word(errorText).Length == 0 && !Reason().IsMatch(errorText)) ? errorText : outerMessage;

        void Walk(SlowBody read)
        {
            foreach (var (path, kind, text) in read.Facts)
            {
                var isText = kind == JsonValueKind.String;
                switch (PlaceOf(path, out var exceptionMember))
                {
                    case "exception" when kind == JsonValueKind.Object:
                        exception = ExceptionName(exceptionMember);
                        break;
                    case "error of a list" when isText && text.Length > 0:
                        message = text;
                        break;
                    case "error" when isText && text.Length > 0 && !NoError().IsMatch(text):
                        (isError, errorText) = (isError || !IsInList(path), text);
                        break;
                    case "error":
                        isError |= !IsInList(path) && (kind == JsonValueKind.True || kind == JsonValueKind.Number && text is not ("0" or "0.0" or "200"));
                        Status();
                        break;
                    case "status":
                        Status();
                        break;
                    case "error http status":
                        Known();
                        Status();
                        break;
                    case "error code":
                        Known();
                        Code(ref code);
                        break;
                    case "error type":
                        Known();
                        type = isText ? Word(text) : type;
                        break;
                    case "error status":
                        Known();
                        status = isText && !IsStatus(text) ? Word(text) : status;
                        Status();
                        break;
                    case "error message":
                        Known();
                        message = isText ? text : message;
                        break;
                    case "location" when kind == JsonValueKind.Array:
                        locations.Add([]);
                        break;
                    case "location item" when kind is JsonValueKind.String or JsonValueKind.Number:
                        locations[^1].Add((isText, text));
                        break;
                    case "field" when kind == JsonValueKind.Array:
                        field = true;
                        break;
                    case "param" when isText && IsMember(text):
                        field = true;
                        break;
                    case "messages of a member" when kind == JsonValueKind.Array && IsMember(path[(path.LastIndexOf(SlowBody.Separator) + 1)..]):
                        field = true;
                        break;
                    case "inner code":
                        azure = true;
                        detail = isText ? Word(text) : detail;
                        break;
                    case "inner":
                        azure = true;
                        break;
                    case "detail" when isText:
                        detail = Word(text);
                        break;
                    case "detail @type":
                        google = true;
                        break;
                    case { } wait when s_waitMembers.Contains(wait) && kind is JsonValueKind.Number or JsonValueKind.String && text.Length <= 64:
                        var scale = wait.EndsWith("ms", StringComparison.OrdinalIgnoreCase) ? 0.001 : 1;
                        if (Number(text.Trim()) is { } number)
                        {
                            var unix = number > 1e12 ? InSeconds(number) : number > 1e9 && scale == 1 ? number : 0;
                            back = unix is > 0 and < 253402300799 ? DateTimeOffset.UnixEpoch.AddSeconds(unix) : back;
                            delay = unix > 0 ? delay : Ahead(number * scale) ?? delay;
                        }
                        else
                        {
                            (delay, back) = (Told(text, default) ?? delay, Instant(text) ?? HttpDate(text) ?? back);
                        }
                        break;
                    case "detail retryDelay" when isText && text.Length <= 64:
                        delay = GoDuration(text);
                        break;
                    case "quotaId" when isText:
                        (names, perDay) = (true, perDay || text.Contains("PerDay", StringComparison.Ordinal));
                        break;
                    case "type" when isText && text == "error":
                        typeError = isError = true;
                        break;
                    case "type" or "error_type" when isText:
                        outerType = Word(text);
                        break;
                    case "object" when isText && text == "error":
                        isError = true;
                        break;
                    case "code":
                        Code(ref outerCode);
                        break;
                    case "original status" when kind == JsonValueKind.Number && text is "400" or "413" or "422":
                        originalStatus = int.Parse(text, CultureInfo.InvariantCulture);
                        break;
                    case "raw_status_code":
                        mistral = true;
                        Status();
                        break;
                    case "message" when isText:
                        outerMessage = text;
                        break;
                    case "__type" when isText:
                        exception = ExceptionName(text);
                        break;
                    case "blocked" when isText && text.Length > 0:
                        filtered = true;
                        break;
                    case "end" when isText && text.Length > 0:
                        switch (EndOf(text))
                        {
                            case 1:
                                ended = true;
                                break;
                            case 2:
                                filtered = true;
                                break;
                            case 3:
                                endFailed = true;
                                break;
                        }
                        break;
                    case "native end" when isText && EndOf(text) == 3:
                        (endFailed, nativeFailed) = (true, true);
                        break;
                }

                // If a later value of the same member is not a name, the body is still an error, because an earlier value was a name.
                isError |= exception.Length > 0;

                void Known()
                {
                    if (kind is JsonValueKind.String or JsonValueKind.Number && text is not ("" or "0" or "0.0" or "200") && !(isText && NoError().IsMatch(text)))
                        (isError, hasObject) = (isError || !IsInList(path), true);
                }

                void Code(ref string slot)
                {
                    azure |= isText && IsStatus(text);
                    Status();
                    if (isText)
                        slot = Word(text);
                }

                void Status()
                {
                    if (kind is JsonValueKind.String or JsonValueKind.Number && IsStatus(text))
                        bodyStatus = int.Parse(text, CultureInfo.InvariantCulture);
                }
            }

        }

        field |= locations.Any(NamesMember);
        var header = Header(evidence, "x-amzn-ErrorType");
        if (header is { Length: > 0 and < 512 })
            exception = ExceptionName(header);
        isError |= exception.Length > 0;
        if (!hasObject)
            (code, type) = (outerCode, outerType);
        var plainType = type;
        type = type.Length > 0 ? type : Word(errorText);
        message = Chosen();
        var raw = message[..Math.Min(message.Length, 2048)];
        return new Facts([code, detail, exception, type, status], plainType, Unquoted(Decoded(raw)), bodyStatus, azure, status.Length > 0 || google,
            typeError && hasObject && code.Length == 0, exception.Length > 0, mistral, hasObject, isError, field, isJson, raw, perDay, names, delay ?? (back is { } at && evidence.Now != default ? Ahead((at - evidence.Now).TotalSeconds) : null), filtered, ended && !nativeFailed, endFailed, Header(evidence, "x-should-retry")?.Split(',')[0].Trim().Equals("false", StringComparison.OrdinalIgnoreCase) == true, originalStatus);
    }

    private static bool IsInList(string path) => Regex.IsMatch(path, @"(?:^|/)errors?\[\]/|^(?:\[\]/)?detail/");

    /// <summary>Gets the JSON that LiteLLM writes after the name of an exception.</summary>
    private static byte[]? WrappedIn(string message)
    {
        var decoded = Decoded(message[..Math.Min(message.Length, 2048)]).TrimStart(' ', '\t', '\r', '\n');
        var json = AfterExceptions(decoded);
        return json.Length > 0 && json[0] is '{' or '[' && decoded[..^json.Length].TrimEnd(' ').EndsWith("Exception -", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(json) : null;
    }

    /// <summary>The names of exceptions in front of a message; a colon or a dash follows each name, or another name.</summary>
    private const string Exceptions = "(?:(?:" + ExceptionNames + " )*" + ExceptionNames + "(?:: | - ) *)*";

    private const string ExceptionNames = "[A-Za-z0-9._]*(?i:error|exception)(?: code: [0-9]{3})?";

    private static string AfterExceptions(string words) =>
        Regex.Replace(words, @"\A[ \t\r\n]*" + Exceptions, "", RegexOptions.CultureInvariant);

    [GeneratedRegex("^(?:bad request|payment required|not found|method not allowed|not acceptable|request timeout|precondition failed|(?:payload|content|request entity) too large|uri too long|unsupported media type|unprocessable (?:entity|content)|failed dependency|too early|too many requests|internal server error|not implemented|bad gateway|service unavailable|gateway time-?out)\\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Reason();

    [GeneratedRegex("^(?:none|null|ok|success|succeeded|no error|200|0)\\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NoError();

    private static string Decoded(string raw) => Regex.Replace(
        Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(raw)), @"\\(?:u([0-9A-Fa-f]{4})|(.))",
        m => m.Groups[1].Success ? ((char)int.Parse(m.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()
            : m.Groups[2].Value switch { "n" => "\n", "r" => "\r", "t" => "\t", "b" or "f" => " ", var other => other }, RegexOptions.Singleline);

    /// <summary>
    /// Removes quoted text. First, the quotation marks of all scripts, and marks that are written as entities, become one of three marks. Then bracketed text
    /// is removed unless the bracket is an index or a comparison, then text between pairs of backticks. For each other mark, the text from the first opening
    /// mark to the last closing mark, or to the end, is removed.
    /// </summary>
    private static string Unquoted(string text)
    {
        text = Regex.Replace(text, "&((?:amp;)*)([^;&]*);", m => m.Length <= 40 && Entity(m.Groups[2].Value) is { } mark ? mark : m.Value, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        text = Regex.Replace(text, "[\u201C\u201D\u201E\u201F\u00AB\u00BB\u2039\u203A\u27E6\u27E7\u27E8\u27E9\u27EA\u27EB\u3008\u3009\u300A\u300B\u300C\u300D\u300E\u300F\u3010\u3011\u3014\u3015\u301D\u301E\u301F\uFF02\uFF1C\uFF1E\uFF3B\uFF3D]", "\"");
        text = Regex.Replace(text, "[\u2018\u2019\u201A\u201B\u00B4\uFF07]", "'").Replace('\uFF40', '`');
        text = new Regex(@"(?<![\p{L}\p{Nd}_\]])\[(?s:.*\]|.*\z)").Replace(text, "", 1);
        text = new Regex("<(?=[A-Za-z/!])(?s:.*>|.*\\z)").Replace(text, "", 1);
        text = Regex.Replace(text, "`(?:[^` \\t\\r\\n]*`|.*`|.*\\z)", "", RegexOptions.Singleline);
        var isOpen = text.Count(static c => c == '"') % 2 != 0 || Regex.IsMatch(text, @"""[\p{L}\p{Nd}][^""]*\z");
        text = Regex.Replace(text, isOpen ? "\".*\\z" : "\".*\"", "", RegexOptions.Singleline);
        text = Regex.Replace(text, @"(?<=\A|[^\p{L}\p{Nd}]|(?:\A|[^\p{L}\p{Nd}])[bur])'(?:.*'(?=\z|[^\p{L}\p{Nd}])|.*\z)", "", RegexOptions.Singleline);
        return Regex.Replace(text, @"\A.+?(?= is not of type| is not one of| was unexpected| is not a valid value| is not valid under any| does not match any)", "", RegexOptions.Singleline | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    private static string? Entity(string name) => name.ToLowerInvariant() switch
    {
        "quot" or "ldquo" or "rdquo" or "bdquo" or "laquo" or "raquo" or "lsaquo" or "rsaquo" => "\"",
        "apos" or "lsquo" or "rsquo" or "sbquo" or "acute" => "'",
        "grave" => "`",
        "lt" => "<",
        "gt" => ">",
        ['#', 'x', .. var hex] => Plain(hex, NumberStyles.AllowHexSpecifier),
        ['#', .. var number] => Plain(number, NumberStyles.None),
        _ => null,
    };

    private static string? Plain(string number, NumberStyles style) => !ushort.TryParse(number, style, CultureInfo.InvariantCulture, out var code) ? null
        : (char)code is '"' or '\u201C' or '\u201D' or '\u201E' or '\u201F' or '\u00AB' or '\u00BB' or '\u2039' or '\u203A' or '\u300C' or '\u300D' or '\u300E' or '\u300F' or '\u301D' or '\u301E' or '\u301F' or '\uFF02'
            or (>= '\u27E6' and <= '\u27EB') or (>= '\u3008' and <= '\u300B') or '\u3010' or '\u3011' or '\u3014' or '\u3015' or '\uFF1C' or '\uFF1E' or '\uFF3B' or '\uFF3D' ? "\""
        : (char)code is '\'' or '\u2018' or '\u2019' or '\u201A' or '\u201B' or '\u00B4' or '\uFF07' ? "'"
        : (char)code is '`' or '\uFF40' ? "`" : (char)code is '<' or '>' ? $"{(char)code}" : null;

    /// <summary>Gets the first clause of a message, after the names of exceptions.</summary>
    private static string Lead(string words)
    {
        words = Regex.Replace(words, @"\A[ \t\r\n]*" + Exceptions, "", RegexOptions.CultureInvariant);
        return Regex.Match(words, @"\A(.*?)(?:\n|\uFF1A|:(?=[ \n\r\t]|\z)|(?<= )[-\u2012-\u2015\u2192](?= |\z)|\z)", RegexOptions.Singleline).Groups[1].Value;
    }

    private static readonly HashSet<string> s_vocabulary = new(ServerVocabulary.Words.SelectMany(static l => l.Split(' ')), StringComparer.OrdinalIgnoreCase);

    private const string OwnToken = @"\G(?:(?<text>(?i:" + "TEXTS" + @"))|(?<url>[A-Za-z0-9](?:[A-Za-z0-9]|[_'/@.:-](?=[A-Za-z0-9/])|(?<=[0-9]),(?=[0-9]))*?://(?=[A-Za-z0-9/])[^ \t\r\n]*?(?=[.,;:!?)]*(?:[ \t\r\n]|\z)))|(?<word>[A-Za-z0-9](?:[A-Za-z0-9]|[_'/@.:-](?=[A-Za-z0-9/])|(?<=[0-9]),(?=[0-9]))*)|(?<piece>" + "PIECES" + @")|(?<letter>\p{L})|(?<end>[.;!?。；！？])|(?<comma>[,，、])|(?<colon>:)|(?<open>\()|(?<line>\n)|(?<brace>\{)|(?<equals>=)|(?<sign>\uFF1A|(?<= )[-\u2012-\u2015\u2192](?= |\z))|(?<other>.))";

    private static readonly Regex s_ownToken = new(OwnToken.Replace("TEXTS", string.Join('|', ServerVocabulary.Texts.Select(Regex.Escape)), StringComparison.Ordinal).Replace("PIECES", string.Join('|', ServerVocabulary.Pieces), StringComparison.Ordinal), RegexOptions.Singleline | RegexOptions.CultureInvariant);

    /// <summary>Gets the clauses at the beginning of a message that consist of words of the server's vocabulary.</summary>
    private static string OwnPart(string words)
    {
        const RegexOptions ignore = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
        var text = AfterBeginnings(words);
        foreach (var head in ServerVocabulary.Heads)
        {
            if (Regex.IsMatch(text, $@"\A{head} (?!for )\p{{L}}", RegexOptions.CultureInvariant))
                return head;
        }

        int own = 0, comma = -1, lastWord = 0;
        bool started = false, chinese = false, name = false, afterName = false;
        for (var at = 0; at < text.Length;)
        {
            var token = s_ownToken.Match(text, at);
            var said = token.Value;
            var next = at + said.Length;
            var rest = text[next..];
            var (mayBeName, isAfterName) = (name, afterName);
            var isWord = token.Groups["text"].Success || token.Groups["url"].Success || token.Groups["word"].Success || token.Groups["piece"].Success;
            if (token.Groups["letter"].Success)
                return text[..own];
            if (isWord)
            {
                var plain = Regex.Replace(said, "'s\\z", "", ignore);
                var isVocabulary = token.Groups["word"].Success && s_vocabulary.Contains(plain) && !(started && !(comma >= 0 && said == "Please") && Regex.IsMatch(plain, @"\A[A-Z]") && Regex.IsMatch(plain, @"\A(?:you|your|the|this|please)\z", ignore));
                var isPassed = token.Groups["text"].Success || token.Groups["url"].Success || !token.Groups["piece"].Success && (Regex.IsMatch(said, "[^A-Za-z']") || said.Length == 1 && said is not ("I" or "i"));
                var isName = false;
                if (token.Groups["piece"].Success)
                {
                    chinese |= !started;
                    if (!chinese)
                        return text[..own];
                }
                else if (!isPassed && !isVocabulary)
                {
                    isName = mayBeName && !Regex.IsMatch(said, @"\A(?:prompt|input|question|query|says|said|saying|asked|wrote|quoted|got|value|unexpected|unrecognized|parse|parsing|decode|decoding|deserialize)\z", ignore) && !(isAfterName && !char.IsAsciiLetterUpper(said[0]));
                    if (!isName)
                        return text[..own];
                }

                if (isVocabulary && !isPassed)
                {
                    if (Regex.IsMatch(plain, @"\A(?:or|and|for|of|on|to|at)\z", ignore))
                        own = at;
                    lastWord = at;
                }

                own = comma >= 0 ? comma : own;
                (comma, started) = (-1, true);
                name = isName ? char.IsAsciiLetterUpper(said[0]) : isVocabulary && !isPassed && Regex.IsMatch(plain, @"\A(?:team|account|organization|org|project|plan|name|id|in|for|tenant|workspace|named)\z", ignore);
                afterName = isName && name;
            }
            else if (token.Groups["end"].Success)
            {
                own = at;
                started = chinese = false;
            }
            else if (token.Groups["comma"].Success)
            {
                comma = at;
            }
            else if (token.Groups["colon"].Success)
            {
                own = at;
                var value = Regex.Match(rest, @"\A *((?:[A-Za-z0-9]|[_'/@.:-](?=[A-Za-z0-9/])|(?<=[0-9]),(?=[0-9]))*)").Groups[1].Value;
                if (value.Length != 1 && !Regex.IsMatch(value, @"[0-9/]|\A(?:limit|used|requested|current|tokens|requests)\z", ignore))
                    return text[..own];
                at = next;
                continue;
            }
            else if (token.Groups["open"].Success)
            {
                var close = rest.IndexOf(')', StringComparison.Ordinal);
                if (close < 0)
                    return text[..own];
                at = rest[..close].Contains(' ', StringComparison.Ordinal) ? next : next + close;
                continue;
            }
            else if (token.Groups["line"].Success)
            {
                own = at;
                var line = rest.TrimStart(' ', '\t', '\r', '\n');
                if (!Regex.IsMatch(line, @"\A(?:\* |please retry in )", ignore) && !Regex.IsMatch(text, @"\Ayou exceeded your current quota, please check your plan and billing details", ignore))
                    return text[..own];
                (at, started) = (text.Length - line.Length, false);
                continue;
            }
            else if (token.Groups["brace"].Success || token.Groups["sign"].Success)
            {
                return text[..at];
            }
            else if (token.Groups["equals"].Success)
            {
                return text[..Math.Max(own, lastWord)];
            }

            at = next;
            if (at == text.Length)
                own = at;
        }

        return text[..own];
    }

    /// <summary>Gets the server's own part of the first clause.</summary>
    private static string OwnLead(string words) => OwnPart(words) is var own && Lead(AfterBeginnings(words)) is var lead && own.Length < lead.Length ? own : lead;

    private const string Noun = @"(?<![\p{L}\p{Nd}])(?:prompt|input|question|query|says|said|saying|asked|wrote|quoted|got|value|unexpected|unrecognized|parse|parsing|decode|decoding|deserialize)(?![\p{L}\p{Nd}_])" + NotOwn;

    private const string NotOwn = @"(?! *(?:\([^)]*\) *)?(?:(?:tokens?|size|length|error|failure|condition|problem|arguments?)(?![\p{L}\p{Nd}])|" + Verbs + "))";

    private const string Verbs = "is (?:too|longer|larger|greater) |(?:is|was) blocked|was (?:flagged|rejected|filtered|refused)|and maximum output tokens |could not be submitted|exceed|violate|contains |triggering |triggered |blocked |too long|cannot exceed |(?:data|text|image) may |image violates |content audit |new_sensitive|, sent to |超长";

    private const string Beginnings = "the model returned the following errors: |image generation failed with the following error: |input validation error: |invalid input argument for model : (?=the number of input tokens )|invalid prompt: (?=your prompt )|invalid request: (?=your request )"
        + "|invalid argument: (?=prompt is too long)|unsafe request: (?=this )|bad_request: (?=input is too long)|encountered an error when fetching new request: (?=prompt length )|(?:request blocked|access denied): (?=user )|your organization blocked this request: (?=content )"
        + @"|/chat/completions: (?=invalid model name)|internalerror\.algo\.invalidparameter: (?=range of )|internalerror\.algo\.datainspectionfailed: |<400> (?=internalerror\.)|(?:openai|azure-openai|anthropic|bedrock|google|vertex-ai|mistral-ai|groq) error: ";

    /// <summary>Gets the part of a refusal in which the server speaks about a prompt.</summary>
    private static string OwnOfMessage(string words)
    {
        words = AfterBeginnings(words);
        return WithoutCallersParentheses(Regex.Match(words, $@"\A(.*?)(?:[\n\uFF1A={{]|:(?=[ \n\r\t]|\z)(?!(?<=too (?:large|long):) *[0-9])|(?<= )[-\u2012-\u2015\u2192](?= |\z)|{Noun}|\z)", RegexOptions.Singleline | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant).Groups[1].Value);
    }

    private static string AfterBeginnings(string words)
    {
        words = AfterExceptions(words);
        while (Regex.Match(words, @"\A(?:" + Beginnings + ")", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) is { Success: true } beginning)
            words = Regex.Replace(words[beginning.Length..].TrimStart(' '), @"\A" + Exceptions, "", RegexOptions.CultureInvariant);
        return words;
    }

    /// <summary>Removes the text from the first parenthesis that has neither one word nor a number to the last parenthesis.</summary>
    private static string WithoutCallersParentheses(string words)
    {
        for (var at = words.IndexOf('('); at >= 0; at = words.IndexOf('(', at))
        {
            var close = words.IndexOf(')', at);
            if (close < 0)
                return words[..at];
            if (!Regex.IsMatch(words[(at + 1)..close], @"\A(?:[A-Za-z0-9.,/]* *|[0-9][0-9.,/]* +[A-Za-z0-9.,/]+|[A-Za-z0-9.,/]* +[0-9][0-9.,/]*)\z"))
                return words[..at] + words[(words.LastIndexOf(')') + 1)..];
            at = close;
        }

        return words;
    }

    private static string QuotedMessage(string raw)
    {
        raw = raw[Math.Max(0, raw.IndexOf("Error code: ", StringComparison.Ordinal))..];
        foreach (var member in new[] { "'message': ", "'error': " })
        {
            if (raw.IndexOf(member, StringComparison.Ordinal) is >= 0 and var at)
                return Regex.Match(raw[(at + member.Length)..], @"\A([""'])(.*?)(?:\1(?=[,}])|\z)", RegexOptions.Singleline).Groups[2].Value;
        }
        return "";
    }

    private static bool IsStatus(string text) => text.Length == 3 && text[0] is '4' or '5' && text.All(char.IsAsciiDigit);

    private static string Word(string text) => text.Length <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-') ? text : "";

    private static string ExceptionName(string text)
    {
        text = text.Split(':')[0];
        return Word(text.Split('#')[^1]);
    }

    private static string? Header(in FaultEvidence evidence, string name) =>
        evidence.Headers is { } headers && headers.NonValidated.Contains(name) ? headers.NonValidated[name].First() : null;

    private static TimeSpan? Wait(in FaultEvidence evidence, Facts facts, FaultKind kind)
    {
        var now = HttpDate(Header(evidence, "Date")) ?? evidence.Now;
        foreach (var name in s_milliseconds)
        {
            if (Lines(evidence, name).SelectMany(static line => line.Split(',')).Select(OfMilliseconds).Max() is { } exact)
                return exact;
        }

        TimeSpan? OfMilliseconds(string part) => Number(part.Trim()) is not { } milliseconds ? Told(part, now)
            : milliseconds <= 1e12 ? Ahead(milliseconds / 1000)
            : InSeconds(milliseconds) is > 0 and < 253402300799 and var instantOfHeader && now != default ? Ahead((DateTimeOffset.UnixEpoch.AddSeconds(instantOfHeader) - now).TotalSeconds) : null;

        if (Lines(evidence, "Retry-After").Select(line => Told(line, now)).Max() is { } retryAfter)
            return retryAfter;

        var own = OwnPart(facts.Message);
        var isLimit = kind is FaultKind.Throttled or FaultKind.Overloaded or FaultKind.QuotaExhausted;
        if ((facts.Delay ?? InSentence(own, isLimit)) is { } told)
            return told;
        if (isLimit && InSentence(OwnOfMessage(facts.Message), isLimit: true) is { } brief && brief <= TimeSpan.FromMinutes(1))
            return brief;
        if (evidence.StatusCode is 429 or 503 && Regex.IsMatch(facts.Message, @"\A[ \t\r\n]*(?:(?:-|[^ ]*(?i:error|exception):?) +)*?Error code: ", RegexOptions.CultureInvariant)
            && InSentence(OwnPart(Unquoted(QuotedMessage(Decoded(facts.Raw)))), isLimit: true) is { } upstream)
        {
            return upstream;
        }
        if (kind is FaultKind.Throttled or FaultKind.Overloaded or FaultKind.QuotaExhausted && evidence.Now != default
            && Regex.Match(own, @"(?:(?:resets?|again|available|retry) at):? ?([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(?: ?(?:Z|UTC|GMT)| ?([+-][0-9]{2}:?[0-9]{2}))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) is { Success: true } said
            && DateTimeOffset.TryParse($"{said.Groups[1].Value}T{said.Groups[2].Value}{(said.Groups[3].Success ? Regex.Replace(said.Groups[3].Value, @"\A(...):?", "$1:") : "Z")}", CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant)
            && Ahead((instant - evidence.Now).TotalSeconds) is { } untilThen)
        {
            return untilThen;
        }
        if (kind == FaultKind.QuotaExhausted)
        {
            return Regex.Match(own, "regain access on (.{23})", RegexOptions.Singleline) is { Success: true } regain
                && DateTimeOffset.TryParseExact(regain.Groups[1].Value, "yyyy-MM-dd 'at' HH:mm 'UTC'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? Ahead((at - evidence.Now).TotalSeconds) : null;
        }

        if (kind != FaultKind.Throttled || evidence.Headers is null)
            return null;
        var (copy, evidence2) = (evidence, evidence);
        var open = s_openDimensions.Select(d => Window(copy, $"x-ratelimit-limit-{d}", $"x-ratelimit-remaining-{d}", $"x-ratelimit-reset-{d}", now)).ToList();
        var anthropic = s_dimensions.Select(d => Window(copy, $"anthropic-ratelimit-{d}-limit", $"anthropic-ratelimit-{d}-remaining", $"anthropic-ratelimit-{d}-reset", now)).ToList();
        var useAnthropic = evidence.Dialect == WireDialect.Anthropic || (evidence.Dialect == WireDialect.Unknown && open.TrueForAll(w => w is (null, null, null)));
        if ((useAnthropic ? anthropic : open).Where(w => w.Remaining == 0).Max(w => w.Reset) is { } exhausted)
            return exhausted;
        foreach (var (reset, remaining) in new[] { ("RateLimit-Reset", "RateLimit-Remaining"), ("X-RateLimit-Reset-After", "X-RateLimit-Remaining"), ("X-RateLimit-Reset", "X-RateLimit-Remaining"), ("X-Rate-Limit-Reset", "X-Rate-Limit-Remaining"), ("X-RateLimit-Retry-After", ""), ("X-AI-RateLimit-Retry-After", ""), ("X-Retry-After", ""), ("X-Rate-Limit-Retry-After-Seconds", ""), ("x-ratelimit-user-retry-after", ""), ("ratelimitbysize-reset", "ratelimitbysize-remaining"), ("anthropic-ratelimit-unified-reset", "anthropic-ratelimit-unified-remaining") })
        {
            if (!(remaining.Length > 0 && Left(evidence, remaining) > 0) && Longest(evidence, reset, now) is { } back)
                return back;
        }
        var byWindow = from unit in (string[])["requests", "tokens"]
                       from window in (string[])["minute", "hour", "day"]
                       where Left(evidence2, $"x-ratelimit-remaining-{unit}-{window}") == 0
                       select Longest(evidence2, $"x-ratelimit-reset-{unit}-{window}", now);
        if (byWindow.Max() is { } full)
            return full;

        var policies = Lines(evidence, "RateLimit").SelectMany(Policies).Where(static p => p.Left is not > 0 && p.Reset is not null).ToList();
        return policies.Where(static p => p.Left is not null).Max(static p => p.Reset) ?? policies.Max(static p => p.Reset);
    }

    /// <summary>Reads the policies of one line of the header RateLimit. A quoted text becomes one sign, so that its commas do not count.</summary>
    private static List<(long? Left, TimeSpan? Reset)> Policies(string line)
    {
        const string quoted = "\u0001";
        var policies = new List<Dictionary<string, string>> { new() };
        foreach (Match part in Regex.Matches(Regex.Replace(line, @"""(?:\\.|[^""\\])*(?:""|\\?\z)", quoted, RegexOptions.Singleline), "(\\A|[;,])([^;,]*)"))
        {
            var member = part.Groups[2].Value.Trim();
            if (part.Groups[1].Value == "," && (member.StartsWith(quoted, StringComparison.Ordinal) || !member.Contains('=')))
                policies.Add([]);
            if (Regex.Match(member, @"\A(?i:(r|remaining)|(t|reset))\s*=(.*)\z", RegexOptions.Singleline) is not { Success: true } said)
                continue;
            var name = said.Groups[1].Success ? "r" : "t";
            if (policies[^1].GetValueOrDefault(name, "").Length > 0)
                policies.Add([]);
            policies[^1][name] = said.Groups[3].Value.Trim();
        }
        return policies.ConvertAll(static p => (
            Regex.IsMatch(p.GetValueOrDefault("r", ""), @"\A[+-]?[0-9]+\z") && long.TryParse(p["r"], out var left) ? left : (long?)null,
            Number(p.GetValueOrDefault("t")) is { } seconds and <= 1e9 ? Ahead(seconds) : null));
    }

    private static (long? Limit, long? Remaining, TimeSpan? Reset) Window(FaultEvidence evidence, string limit, string remaining, string reset, DateTimeOffset now)
    {
        var until = Longest(evidence, reset, now);
        var left = Left(evidence, remaining);
        var most = Left(evidence, limit);
        return (most == 0 ? null : most, left == 0 && until is null ? null : left, until);
    }

    private static TimeSpan? Longest(FaultEvidence evidence, string name, DateTimeOffset now) => Lines(evidence, name).Select(line => Told(line, now)).Max();

    private static long? Left(FaultEvidence evidence, string name) => Lines(evidence, name).SelectMany(static line => line.Split(',')).Select(Count).Min();

    private static long? Count(string? text) => text is not null && Regex.IsMatch(text, @"^[ \t-\r]*[0-9]+[ \t-\r]*\z") && long.TryParse(text.Trim(), out var count) ? count : null;

    private static string[] Lines(FaultEvidence evidence, string name) =>
        evidence.Headers is { } headers && headers.NonValidated.Contains(name) ? [.. headers.NonValidated[name]] : [];

    /// <summary>Reads a time in any form: a number, an instant, a duration, a number with its unit, or a list, of which the longest time counts.</summary>
    private static TimeSpan? Told(string text, DateTimeOffset now)
    {
        if (One(text) is { } one)
            return one;
        return text.Contains(',') ? text.Split(',').Select(One).Max() : null;

        TimeSpan? One(string part)
        {
            part = part.Trim();
            part = Regex.Replace(part, @"\A(['""])(.*)\1\z", "$2", RegexOptions.Singleline).Trim();
            part = Regex.Replace(part, @"[ ;]+\z", "");
            part = Regex.Replace(part, @"\A(?i:in |after )?~?", "").Trim();
            if (Regex.Match(part, @"\A(?:([0-9]{1,7})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,7})?\z") is { Success: true } clock)
                return ClockTime(clock);
            if (part.Length <= 33 && Regex.Match(part.ToLowerInvariant(), @"\Ap([0-9]{1,5}d)?(?:t(.+))?\z", RegexOptions.Singleline) is { Success: true } iso && GoDuration(iso.Groups[1].Value + iso.Groups[2].Value) is { } standard)
                return standard;
            if (Number(part.Trim()) is { } number)
                return number > 1e12 ? Unix(InSeconds(number)) : number > 1e9 ? Unix(number) : Ahead(number);
            if (GoDuration(part) is { } duration)
                return duration;
            if ((HttpDate(part) ?? Instant(part)) is { } date)
                return now == default ? null : Ahead((date - now).TotalSeconds);
            if (Regex.Match(part.Trim(), @"\A(?:([0-9]+\.?[0-9]*|\.[0-9]+)(?![0-9.]) *([A-Za-z]+) *)+\.?\z") is not { Success: true } match)
                return null;
            var amounts = match.Groups[1].Captures.Zip(match.Groups[2].Captures, static (number, unit) => Number(number.Value) * Scale(unit.Value)).ToList();
            return amounts.Contains(null) ? null : Ahead(amounts.Sum() ?? 0);
        }

        TimeSpan? Unix(double seconds) => now == default ? null : seconds > 253402300799 ? TimeSpan.FromDays(365) : Ahead((DateTimeOffset.UnixEpoch.AddSeconds(seconds) - now).TotalSeconds);
    }

    private static double InSeconds(double number) => number / (number >= 1e20 ? 1e3 : number > 1e17 ? 1e9 : number > 1e14 ? 1e6 : 1e3);

    private static TimeSpan? ClockTime(Match clock)
    {
        double Part(int i) => clock.Groups[i].Success ? double.Parse(clock.Groups[i].Value, CultureInfo.InvariantCulture) : 0;
        return Part(2) < 24 && Part(3) < 60 && Part(4) < 60 ? Ahead(86400 * Part(1) + 3600 * Part(2) + 60 * Part(3) + Part(4) + Part(5)) : null;
    }

    private static DateTimeOffset? Instant(string text)
    {
        text = text.Trim().ToUpperInvariant();
        if (text.Length is 0 or > 48 || !char.IsAsciiDigit(text[0]))
            return null;
        text = Regex.Replace(text, @"(?<=[+-].{4}|[+-]..:..) [A-Z]+\z|(?<=.{5}) [A-Z]*(?:GMT|UTC)\z", "", RegexOptions.Singleline);
        return Date(Regex.Replace(text, @"\A([^.]+\.[0-9]{7})[0-9]+", "$1"), s_instants);
    }

    private static DateTimeOffset? HttpDate(string? text)
    {
        if (text is null)
            return null;
        text = Regex.Replace(text, @" \(.*", "", RegexOptions.Singleline).TrimEnd();
        return Regex.IsMatch(text, @"(?:GMT|UTC)\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) ? Date(text[..^3], s_namedDates) : Date(text, s_otherDates);
    }

    private static DateTimeOffset? Date(string text, string[] forms) =>
        DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var at) ? at : null;

    private static double? Number(string? text) =>
        text is not null && Regex.IsMatch(text, @"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\z") && double.Parse(text, CultureInfo.InvariantCulture) is var number && double.IsFinite(number) ? number : null;

    private static TimeSpan? GoDuration(string text)
    {
        text = text.Trim();
        if (!Regex.IsMatch(text, @"^(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:h|ms|m|s|us|µs|μs|ns|d))+\z"))
            return null;
        double seconds = 0;
        foreach (Match part in Regex.Matches(text, @"([0-9.]+)([^0-9.]+)"))
        {
            var number = double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture);
            if (!double.IsFinite(number))
                return null;
            seconds += number * part.Groups[2].Value switch { "d" => 86400, "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, "ns" => 1e-9, _ => 1e-6 };
        }

        return Ahead(seconds);
    }

    private static TimeSpan? InSentence(string sentence, bool isLimit)
    {
        for (var i = 0; i < (isLimit ? s_waits.Length : 9); i++)
        {
            var at = sentence.IndexOf(s_waits[i], StringComparison.OrdinalIgnoreCase);
            if (at >= 0 && Sum(sentence[(at + s_waits[i].Length)..], needsUnit: i >= 9) is { } seconds && Ahead(seconds) is { } wait)
                return wait;
        }

        return null;
    }

    private static double? Sum(string text, bool needsUnit)
    {
        text = Regex.Replace(text, "^(?:for )?(?:about )?(?:approximately )?(?:around )?(?:at least )?(?:another )?~?", "", RegexOptions.IgnoreCase);
        if (Regex.Match(text, @"\A[0-9.]*:[0-9.:]*") is { Success: true } colons)
        {
            return Regex.Match(colons.Value.TrimEnd('.', ':'), @"\A(?:([0-9]{1,7})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,7})?\z") is { Success: true } clock ? ClockTime(clock)?.TotalSeconds : null;
        }
        double? sum = null;
        while (Regex.Match(text, @"^([0-9]{1,3}(?:,[0-9]{3}(?![0-9A-Za-z]))+(?:\.[0-9][0-9.]*?)?|[0-9][0-9.]*?)(?:(\.+)(?![0-9.])|(?![0-9.])) *(\p{L}*)[, ]*(?:[aA][nN][dD] )?") is { Success: true } part)
        {
            if (Number(part.Groups[1].Value.Replace(",", "", StringComparison.Ordinal)) is not { } number)
                break;
            var scale = part.Groups[2].Success ? null : Scale(part.Groups[3].Value);
            if (scale is null)
                return sum ?? (needsUnit ? null : number);
            sum = (sum ?? 0) + number * scale;
            text = text[part.Length..];
        }

        return sum;
    }

    private static double? Scale(string unit) => unit switch
    {
        "d" => 86400,
        "h" => 3600,
        "m" => 60,
        "s" or "S" => 1,
        "ms" => 1e-3,
        "us" or "µs" or "μs" => 1e-6,
        "ns" => 1e-9,
        _ when Regex.IsMatch(unit, "^(?:ms|millis)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) => 1e-3,
        _ when Regex.IsMatch(unit, "^sec", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) => 1,
        _ when Regex.IsMatch(unit, "^min", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) => 60,
        _ when Regex.IsMatch(unit, "^h(?:ou)?r", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) => 3600,
        _ when Regex.IsMatch(unit, "^day", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) => 86400,
        _ => null,
    };

    private static TimeSpan? Ahead(double seconds) =>
        seconds > 0 ? TimeSpan.FromSeconds(Math.Min(seconds, 365d * 86400)) is { Ticks: > 0 } wait ? wait : null : null;
}
