using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit;

/// <summary>
/// Provides the status of another part of the application, such as a backup or a batch, for the dashboard of the pools. Register the implementation as a
/// singleton; it must be thread-safe.
/// </summary>
public interface IStatusPanel
{
    /// <summary>Reads the current status. It must not wait: an open dashboard calls it once a second.</summary>
    StatusPanel Read();
}

/// <summary>
/// Describes the status of a part of the application beside its pools, for the dashboard. It contains names, numbers and times only, never a secret or content.
/// Immutable.
/// </summary>
/// <param name="Name">The name, unique in the application.</param>
/// <param name="State">The overall state.</param>
/// <param name="Summary">The status in one sentence.</param>
/// <param name="Rows">The parts.</param>
public sealed record StatusPanel(string Name, HealthStatus State, string Summary, IReadOnlyList<StatusPanelRow> Rows);

/// <summary>Describes one part of a panel. Immutable.</summary>
/// <param name="Name">The name of the part.</param>
/// <param name="State">The state of the part.</param>
/// <param name="Text">The status in a few words.</param>
public sealed record StatusPanelRow(string Name, HealthStatus State, string Text);
