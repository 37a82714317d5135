using System.Text;
using System.Text.Json;

namespace HaKit.Testing.Wire;

/// <summary>
/// Decides whether and how the fake calls a tool. When tools are offered and the last message is not a tool's result, the fake calls the selected tool,
/// otherwise the first tool, and fills every property of the tool's schema from the prompt.
/// </summary>
internal static class ToolCalls
{
    public static FakeToolCall? ChooseCall(JsonElement root, string prompt)
    {
        if (!root.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array || tools.GetArrayLength() == 0)
            return null;
        var chosen = Choice(root, out var none);
        if (none)
            return null;
        foreach (var tool in tools.EnumerateArray())
        {
            var function = tool.TryGetProperty("function", out var inner) ? inner : tool;
            if (!function.TryGetProperty("name", out var name))
                continue;
            if (chosen is not null && name.GetString() != chosen)
                continue;
            return new(name.GetString()!, Arguments(function, prompt));
        }

        return null;
    }

    private static string? Choice(JsonElement root, out bool none)
    {
        none = false;
        if (!root.TryGetProperty("tool_choice", out var choice))
            return null;
        if (choice.ValueKind == JsonValueKind.String)
        {
            none = choice.ValueEquals("none");
            return null;
        }

        if (choice.ValueKind != JsonValueKind.Object)
            return null;
        none = choice.TryGetProperty("type", out var type) && type.ValueEquals("none");
        var named = choice.TryGetProperty("function", out var function) ? function : choice;
        return named.TryGetProperty("name", out var name) ? name.GetString() : null;
    }

    private static string Arguments(JsonElement function, string prompt)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            var hasSchema = function.TryGetProperty("parameters", out var schema) || function.TryGetProperty("input_schema", out schema);
            if (hasSchema && schema.TryGetProperty("properties", out var properties))
            {
                foreach (var property in properties.EnumerateObject())
                    WriteArgument(json, property, prompt);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteArgument(Utf8JsonWriter json, JsonProperty property, string prompt)
    {
        var type = property.Value.TryGetProperty("type", out var declared) && declared.ValueKind == JsonValueKind.String ? declared.GetString() : "";
        switch (type)
        {
            case "string" when property.Value.TryGetProperty("enum", out var values):
                json.WritePropertyName(property.Name);
                values[0].WriteTo(json);
                break;
            case "string":
                json.WriteString(property.Name, prompt);
                break;
            case "integer" or "number":
                json.WriteNumber(property.Name, FakeAnswers.CountTokens(prompt));
                break;
            case "boolean":
                json.WriteBoolean(property.Name, true);
                break;
        }
    }
}
