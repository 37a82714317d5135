namespace HaKit.Attempts;

/// <summary>
/// Checks the names in the options of an endpoint: its own name, its failure domains, its model and its tags. Names are compared as they are written, so a space
/// at the end of a name, or an empty name, would silently match nothing. Pure.
/// </summary>
internal static class EndpointLabels
{
    /// <summary>Gets a sentence for each mistake.</summary>
    /// <param name="path">The path of the endpoint, for example <c>Pool 'chat': Endpoints:0</c>.</param>
    /// <param name="endpoint">The endpoint.</param>
    public static IEnumerable<string> FindMistakes(string path, EndpointOptions endpoint)
    {
        var of = $" of '{endpoint.Name}'";
        if (OfName(endpoint.Name) is { } wrongName)
            yield return $"{path}:Name is '{endpoint.Name}', which {wrongName}";
        foreach (var (setting, text) in new[]
        {
            ("Zone", endpoint.Zone), ("Account", endpoint.Account), ("KeyName", endpoint.KeyName), ("Region", endpoint.Region), ("Provider", endpoint.Provider), ("Residency", endpoint.Residency),
        })
        {
            if (text is not null && FindMistake(text) is { } mistake)
                yield return $"{path}:{setting}{of} {mistake} Give the real name, or leave {setting} out.";
        }
        foreach (var mistake in OfModel(path + ":Model" + of, endpoint.Model))
            yield return mistake;
        foreach (var tag in endpoint.Tags ?? [])
        {
            if (tag is null || FindMistake(tag) is not null)
                yield return $"{path}:Tags{of} has a tag that {FindMistake(tag ?? "")} Give the real name, or leave the tag out.";
            else if (tag.Contains(',', StringComparison.Ordinal))
                yield return $"{path}:Tags{of} has a tag with a comma in it. Give each tag an entry of its own, such as [ \"gpu\", \"fast\" ].";
        }
    }

    private static string? OfName(string name)
    {
        if (string.IsNullOrWhiteSpace(name))
            return null; // another check names it
        if (IsPadded(name))
            return "has white space at its beginning or end. Remove it.";
        if (QuotedText.Is(name))
            return "is in quotation marks. Remove them.";
        return Placeholder.IsName(name) ? "is a placeholder. Give the endpoint a name." : null;
    }

    private static IEnumerable<string> OfModel(string setting, string? model)
    {
        const string Cure = "Give the name that the model or deployment has there, or leave it out to send the caller's.";
        if (model is null)
            yield break;
        if (model.Any(char.IsControl))
            yield return $"{setting} has characters that no name may have, such as a line break at its end. Remove them.";
        if (string.IsNullOrWhiteSpace(model))
            yield return $"{setting} is '{model}'. {Cure}";
        else if (Placeholder.IsName(model))
            yield return $"{setting} is '{model}', a placeholder. {Cure}";
        else if (IsPadded(model))
            yield return $"{setting} has white space at its beginning or end. Remove it.";
        else if (QuotedText.Is(model))
            yield return $"{setting} is in quotation marks. Remove them.";
        else if (model == "*" || model.Contains(',', StringComparison.Ordinal))
            yield return $"{setting} is '{model}', and one model is needed. {Cure} Give each model an endpoint of its own.";
    }

    // The message does not repeat the text of the setting, because the text may be a secret API key that was put into the wrong setting by mistake.
    private static string? FindMistake(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return "is empty.";
        if (IsPadded(text))
            return "has white space at its beginning or end.";
        if (QuotedText.Is(text))
            return "is in quotation marks.";
        if (text.Contains("://", StringComparison.Ordinal))
            return "is an address.";
        return Placeholder.IsName(text) ? "is a placeholder, such as '<name>' or '${NAME}'." : null;
    }

    private static bool IsPadded(string text) => char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1]);
}
