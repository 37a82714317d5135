using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>
/// An open-loop load: each call starts at its planned time, even when earlier calls are still running. The drill checks every whole answer.
/// </summary>
internal sealed class DrillLoad(DrillClock clock, double rate, double streamedShare, TimeSpan patience)
{
    private readonly TimeSpan _spacing = TimeSpan.FromSeconds(1 / rate);
    private int _number;

    /// <summary>
    /// Makes calls for the given time and returns when the last call has ended. A separate thread starts them, so that no call is late because the threads of
    /// the pool are busy with earlier calls.
    /// </summary>
    public async Task<IReadOnlyList<DrillCall>> RunAsync(IDrillTarget target, TimeSpan length, CancellationToken cancellationToken)
    {
        var running = await Task.Factory.StartNew(
            () => BeginCalls(target, length, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return await Task.WhenAll(running);
    }

    private List<Task<DrillCall>> BeginCalls(IDrillTarget target, TimeSpan length, CancellationToken cancellationToken)
    {
        var running = new List<Task<DrillCall>>();
        var from = clock.Now;
        for (var due = from; due < from + length; due += _spacing)
        {
            clock.SleepUntil(due, cancellationToken);
            running.Add(CallAsync(target, ++_number, due, cancellationToken));
        }
        return running;
    }

    /// <summary>Makes one call now.</summary>
    public Task<DrillCall> CallAsync(IDrillTarget target, CancellationToken cancellationToken) => CallAsync(target, ++_number, clock.Now, cancellationToken);

    private async Task<DrillCall> CallAsync(IDrillTarget target, int number, TimeSpan due, CancellationToken cancellationToken)
    {
        var began = clock.Now;
        var streamed = (int)(number * streamedShare) != (int)((number - 1) * streamedShare);
        var prompt = DrillUpstreams.PromptOf(number);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(patience);
        try
        {
            var answer = await target.CallAsync(prompt, streamed, over.Token);
            return new(number, due, began, clock.Now, streamed, answer.OutcomeFor(prompt));
        }
#pragma warning disable CA1031 // Every exception is a failed call, and the report contains its message.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return new(number, due, began, clock.Now, streamed, DrillOutcome.Failed, over.IsCancellationRequested ? "no answer in time" : WordsOf(exception));
        }
    }

    private static string WordsOf(Exception exception)
    {
        var words = exception.Message.ReplaceLineEndings(" ");
        return $"{exception.GetType().Name}: {(words.Length > 100 ? words[..100] + "…" : words)}";
    }
}
