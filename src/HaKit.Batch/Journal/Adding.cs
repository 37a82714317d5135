using HaKit.Batch.Stores;

namespace HaKit.Batch.Journal;

/// <summary>Holds how far items have been added, because they are written in parts. Not thread-safe.</summary>
internal sealed class Adding(IReadOnlyList<BatchInput> inputs, bool replaceChanged)
{
    public IReadOnlyList<BatchInput> Inputs => inputs;

    public bool ReplaceChanged => replaceChanged;

    /// <summary>Gets or sets the position of the next item.</summary>
    public int At { get; set; }

    public int Added { get; set; }

    public int Changed { get; set; }

    public string? FirstChanged { get; set; }
}
