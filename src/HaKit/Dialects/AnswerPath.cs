namespace HaKit.Dialects;

/// <summary>A path at which a POST creates an answer, and what a 200 must hold to be one.</summary>
/// <param name="End">How the path ends.</param>
/// <param name="Shape">What a 200 must hold.</param>
/// <param name="IsTelling">Do only servers of a known dialect have such a path? Any other must stand behind a version (<c>/v1/responses</c>).</param>
internal readonly record struct AnswerPath(string End, AnswerShape Shape, bool IsTelling = true)
{
    /// <summary>Does the path end so?</summary>
    public bool IsEndOf(ReadOnlySpan<char> path) => path.EndsWith(End, StringComparison.Ordinal);

    /// <summary>Does what stands before a path's end show a known interface: a version, or Azure's and Amazon's folders?</summary>
    public static bool IsVersioned(ReadOnlySpan<char> before) =>
        before.EndsWith("/openai", StringComparison.Ordinal) || before.Contains("/openai/deployments/", StringComparison.Ordinal) || before.Contains("/model/", StringComparison.Ordinal)
        || before[(before.LastIndexOf('/') + 1)..] is ['v', >= '0' and <= '9', ..];
}

/// <summary>Where a path holds the model's name: between a folder and a mark, or up to the end.</summary>
/// <param name="Folder">What stands before the name.</param>
/// <param name="Mark">What stands behind it.</param>
/// <param name="NeedsMark">Is a path without the mark another one (<c>/models/x</c> tells of a model)?</param>
internal sealed record ModelPlace(string Folder, char Mark, bool NeedsMark)
{
    /// <summary>The path with another name; null where it has no such place.</summary>
    public string? Replace(string path, string model)
    {
        var at = path.LastIndexOf(Folder, StringComparison.Ordinal);
        if (at < 0)
            return null;
        var start = at + Folder.Length;
        var end = path.IndexOf(Mark, start);
        return end < 0 && NeedsMark ? null : string.Concat(path.AsSpan(0, start), Uri.EscapeDataString(model), end < 0 ? default : path.AsSpan(end));
    }
}

/// <summary>The header that carries a credential, and what stands before it there.</summary>
internal readonly record struct CredentialPlace(string Header, string Prefix = "");
