using System.CommandLine;
using System.Globalization;
using System.Text;
using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Recordings;

/// <summary>Predicts the effect of other settings: the part of <c>hakit replay</c> that reads a recording.</summary>
internal static class WhatIfCommand
{
    /// <summary>The options of a prediction: a recording and other settings.</summary>
    public sealed record Question(string Recording, string? Name, string? PoolFile, IReadOnlyList<string> Sets, int Runs);

    public static async Task<int> RunAsync(Question question, JsonOutput json, TextWriter error, CancellationToken cancellationToken)
    {
        _ = RecordedSettings.Changes(question.Sets); // invalid settings are refused before the recording is read
        var world = RecordedWorld.FromRecording(RecordingFile.Read(question.Recording, question.Name));
        var recorded = world.Configuration is { } text ? RecordedSettings.FromJson(text) : null;
        var settings = SettingsOf(question, world);
        var differences = recorded is null ? [] : RecordedSettings.Differences(recorded, settings());
        var progress = Progress.For(error, "what if");
        var forecast = Forecast.FromWorld(world, settings, question.Runs, share =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress.Show(share);
        });
        await json.Text.WriteAsync(TextOf(world, forecast, differences));
        await json.WriteAsync(new { world.From, world.Length, world.Actual, Forecast = forecast, world.Remarks }, cancellationToken);
        return forecast.IsKnown ? HakitTool.Good : HakitTool.Bad;
    }

    /// <summary>Returns a function that creates the settings to predict, each time as new objects.</summary>
    public static Func<EndpointPoolOptions> SettingsOf(Question question, RecordedWorld world)
    {
        var changes = RecordedSettings.Changes(question.Sets);
        if (question.PoolFile is { } file)
        {
            var whole = Recording.RecordedConfiguration.Serialize("", PoolFile.Read(file));
            return () => RecordedSettings.FromJson(whole, changes);
        }
        var json = world.Configuration ?? throw new UsageException("The recording has no configuration: name the settings by --pool.");
        return () => RecordedSettings.FromJson(json, changes);
    }

    public static string TextOf(RecordedWorld world, Forecast forecast, IReadOnlyList<(string Name, string Before, string After)> differences)
    {
        var text = new StringBuilder();
        Line($"{world.Actual.Calls} calls from {world.From:yyyy-MM-dd HH:mm:ss} on, for {world.Length.TotalHours:0.##} hours");
        Line($"");
        foreach (var (name, before, after) in differences)
            Line($"  {name}: {before} -> {after}");
        if (differences.Count > 0)
            Line($"");
        Line($"{"",-22}{"as it was",14}   what it would have been");
        if (forecast.IsKnown)
            Line($"{"served",-22}{Percent(world.Actual.Availability),14}   {Percent(forecast.Availability)}, nine times in ten from {Percent(forecast.Low)} to {Percent(forecast.High)}");
        else
            Line($"{"served",-22}{Percent(world.Actual.Availability),14}   cannot be known from this recording: {Percent(forecast.IfDown)} if each endpoint was down while nothing was recorded of it, {Percent(forecast.IfUp)} if it was up");
        Line($"{"lost calls",-22}{world.Actual.Lost,14}   {Range(forecast.Down.Lost, forecast.Up.Lost, "0")}");
        Line($"{"median time, s",-22}{world.Actual.P50,14:0.00}   {Range(forecast.Down.P50, forecast.Up.P50, "0.00")}");
        Line($"{"99th percentile, s",-22}{world.Actual.P99,14:0.00}   {Range(forecast.Down.P99, forecast.Up.P99, "0.00")}");
        Line($"{"attempts per call",-22}{world.Actual.AttemptsPerCall,14:0.0000}   {Range(forecast.Down.AttemptsPerCall, forecast.Up.AttemptsPerCall, "0.0000")}");
        if (world.Actual.Money > 0 || forecast.Down.Money > 0)
            Line($"{"money",-22}{world.Actual.Money,14:0.00}   {Range(forecast.Down.Money, forecast.Up.Money, "0.00")}");
        Line($"");
        Line($"For {Percent(forecast.AssumedShare)} of the attempts, the recording does not show how the endpoint would have answered:");
        foreach (var endpoint in forecast.Endpoints)
            Line($"  {endpoint.Name,-20}{endpoint.Attempts,10} attempts, {endpoint.Assumed} of them not shown{Learned(world, endpoint.Name)}");
        foreach (var remark in world.Remarks)
            Line($"{remark}");
        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture).TrimEnd());
    }

    private static string Learned(RecordedWorld world, string endpoint)
    {
        if (!world.Endpoints.TryGetValue(endpoint, out var track) || !track.HasTimes)
            return "; it never answered in the recording";
        var text = double.IsInfinity(track.Work.Capacity)
            ? string.Create(CultureInfo.InvariantCulture, $"; no slowdown seen up to {track.Work.Peak} at once")
            : string.Create(CultureInfo.InvariantCulture, $"; shares the speed of {track.Work.Capacity} requests");
        return track.Quota is { } quota ? text + string.Create(CultureInfo.InvariantCulture, $"; a quota of {quota.PerMinute:0} {(quota.OfTokens ? "tokens" : "requests")} a minute") : text;
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.00} %");

    private static string Range(double one, double other, string format)
    {
        var (low, high) = (Math.Min(one, other).ToString(format, CultureInfo.InvariantCulture), Math.Max(one, other).ToString(format, CultureInfo.InvariantCulture));
        return low == high ? low : $"{low} to {high}";
    }
}
