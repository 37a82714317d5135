using Microsoft.Extensions.Logging;

namespace HaKit.AspNetCore.Status;

/// <summary>
/// Reads the panels of the application for the dashboards. A panel that throws, that returns no valid status or that blocks is shown as an outage, and is
/// logged once until it can be read again. Thread-safe.
/// </summary>
internal sealed partial class PanelReader(IReadOnlyList<IStatusPanel> panels, TimeProvider time, ILogger log)
{
    // A panel that has not answered for this time is not read by further threads until it answers.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Slot[] _slots = [.. panels.Select(static p => new Slot(p))];

    /// <summary>Reads all panels. Null if the application has no panel. Call this under no lock, because a panel may block.</summary>
    public IReadOnlyList<PanelView>? Read() => _slots.Length == 0 ? null : Array.ConvertAll(_slots, Read);

    private PanelView Read(Slot slot)
    {
        if (slot.BeginRead(time) is { } blockedFor)
        {
            if (slot.RecordFailure())
                Blocks(log, slot.Name);
            return slot.Outage($"It has not answered for {DurationText.Write(blockedFor)}.");
        }
        try
        {
            var view = PanelView.Create(slot.Panel.Read());
            slot.RecordSuccess(view.Name);
            return view;
        }
#pragma warning disable CA1031 // A panel is the application's code. Its failure must not keep the pools and the other panels from being shown.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (slot.RecordFailure())
                CannotBeRead(log, failure, slot.Name);
            // The message of the exception is not shown, because it may contain a secret.
            return slot.Outage($"It cannot be read ({failure.GetType().Name}).");
        }
        finally
        {
            slot.EndRead(time);
        }
    }

    [LoggerMessage(46, LogLevel.Error, "The status panel '{Panel}' cannot be read, so the dashboard shows it as an outage.")]
    private static partial void CannotBeRead(ILogger logger, Exception failure, string panel);

    [LoggerMessage(47, LogLevel.Error, "The status panel '{Panel}' does not answer, so the dashboard shows it as an outage. IStatusPanel.Read must not wait.")]
    private static partial void Blocks(ILogger logger, string panel);

    /// <summary>Holds a panel, its last name, and the reads of it that are running.</summary>
    private sealed class Slot(IStatusPanel panel)
    {
        private readonly Lock _gate = new();
        private int _running;
        private long _since;
        private bool _hasFailed;

        public IStatusPanel Panel => panel;

        /// <summary>Gets the name that was read last. Before the first success, it is the name of the panel's type.</summary>
        public string Name { get; private set; } = panel.GetType().Name;

        /// <summary>Begins a read. If the panel blocks, no read begins, and the time since its last answer is returned.</summary>
        public TimeSpan? BeginRead(TimeProvider time)
        {
            var now = time.GetTimestamp();
            lock (_gate)
            {
                if (_running == 0)
                    _since = now;
                else if (time.GetElapsedTime(_since, now) is var elapsed && elapsed >= Patience)
                    return elapsed;
                _running++;
                return null;
            }
        }

        /// <summary>Ends a read. Other reads that are still running then have the whole <see cref="Patience"/> again, because the panel has answered.</summary>
        public void EndRead(TimeProvider time)
        {
            var now = time.GetTimestamp();
            lock (_gate)
            {
                _running--;
                _since = now;
            }
        }

        public void RecordSuccess(string name)
        {
            lock (_gate)
                (Name, _hasFailed) = (name, false);
        }

        /// <summary>Records a failure. True if the failure is to be logged, because the panel could be read before.</summary>
        public bool RecordFailure()
        {
            lock (_gate)
            {
                var isNew = !_hasFailed;
                _hasFailed = true;
                return isNew;
            }
        }

        public PanelView Outage(string summary) => new(Name, "outage", summary, []);
    }
}
