using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit;

/// <summary>Something that belongs to an application beside its pools, such as a backup, for the dashboard. Register it as a singleton. Thread-safe.</summary>
public interface IStatusPanel
{
    /// <summary>Reads how it is now. It must not wait: an open dashboard asks once a second.</summary>
    StatusPanel Read();
}

/// <summary>What a dashboard shows of something beside the pools. Names, numbers and times only; never a secret or a content. Immutable.</summary>
/// <param name="Name">Its name, unique in the application.</param>
/// <param name="State">How it is as a whole.</param>
/// <param name="Summary">How it is, in a sentence.</param>
/// <param name="Rows">Its parts.</param>
public sealed record StatusPanel(string Name, HealthStatus State, string Summary, IReadOnlyList<StatusPanelRow> Rows);

/// <summary>One part of a panel. Immutable.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">How it is.</param>
/// <param name="Text">How it is, in a few words.</param>
public sealed record StatusPanelRow(string Name, HealthStatus State, string Text);
