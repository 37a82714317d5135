using HaKit.Availability;

namespace HaKit.AspNetCore.Status;

/// <summary>
/// Creates the availability figures of a pool for display. Waiting calls have not ended, so the report does not count them. In an outage it would show no loss
/// until the first deadline passes. The values that end in <c>Now</c> count each waiting call as failed until it is served.
/// </summary>
internal static class AvailabilityViews
{
    public static AvailabilityView From(AvailabilityReport report, long waiting)
    {
        var (calls, target) = (report.Calls, report.Slo.Target);
        return new()
        {
            Delivered = report.Delivered?.Value,
            DeliveredNow = calls.Total + waiting == 0 ? null : (double)calls.Successes / (calls.Total + waiting),
            Observed = report.Observed?.Value,
            Predicted = report.Predicted?.Value,
            Target = target.Value,
            BudgetLeft = Round(report.ErrorBudgetLeft, 4),
            BudgetLeftNow = Round(1 - report.Slo.Consumed(calls.Failures + waiting, calls.Total + waiting), 4),
            Calls = calls.Total,
            Failures = calls.Failures,
            Burn = [.. report.Alerts.Select(a => new BurnView(
                a.Alert.Name, a.Firing, Round(a.Alert.Threshold, 2), Round(a.LongBurn, 2), Round(a.ShortBurn, 2), Round(new OutcomeCount(a.Calls - a.Failures, a.Failures + waiting).BurnRate(target), 2)))],
        };
    }

    private static double Round(double value, int digits) => double.IsFinite(value) ? Math.Round(value, digits) : 0;
}
