namespace HaKit.Dialects;

/// <summary>Describes a path at which a POST creates an answer, and what a 200 must contain to be an answer.</summary>
/// <param name="End">The end of the path.</param>
/// <param name="Shape">The content that a 200 must have.</param>
/// <param name="IsTelling">True if only servers of a known dialect have such a path. Any other path must follow a version (<c>/v1/responses</c>).</param>
internal readonly record struct AnswerPath(string End, AnswerShape Shape, bool IsTelling = true)
{
    /// <summary>Checks whether the path has this end.</summary>
    public bool IsEndOf(ReadOnlySpan<char> path) => path.EndsWith(End, StringComparison.Ordinal);

    /// <summary>Checks whether the part before a path's end belongs to a known interface: a version, or the folders of Azure and Amazon.</summary>
    public static bool IsVersioned(ReadOnlySpan<char> before) =>
        before.EndsWith("/openai", StringComparison.Ordinal) || before.Contains("/openai/deployments/", StringComparison.Ordinal) || before.Contains("/model/", StringComparison.Ordinal)
        || before[(before.LastIndexOf('/') + 1)..] is ['v', >= '0' and <= '9', ..];
}

/// <summary>Describes the place of the model's name in a path: between a folder and a mark, or up to the end.</summary>
/// <param name="Folder">The text before the name.</param>
/// <param name="Mark">The character after the name.</param>
/// <param name="NeedsMark">True if a path without the mark means something else (<c>/models/x</c> describes a model).</param>
internal sealed record ModelPlace(string Folder, char Mark, bool NeedsMark)
{
    /// <summary>Gets the path with another model's name. Null if the path has no place for one.</summary>
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

/// <summary>Names the header of a credential, and the prefix of its value.</summary>
internal readonly record struct CredentialPlace(string Header, string Prefix = "");
