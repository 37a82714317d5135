using System.Globalization;
using HaKit.Batch;

namespace HaKit.Tool.Batches;

/// <summary>Shows the progress of a batch: a bar on a terminal, one line per minute otherwise.</summary>
internal sealed class BatchProgressLine : IAsyncDisposable
{
    private const int BarLength = 30;
    private static readonly TimeSpan OnTerminal = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Elsewhere = TimeSpan.FromMinutes(1);

    private readonly TextWriter _output;
    private readonly Func<BatchProgress> _progress;
    private readonly bool _isTerminal;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _loop;
    private bool _hasEnded;

    private BatchProgressLine(TextWriter output, Func<BatchProgress> progress, bool isTerminal)
    {
        (_output, _progress, _isTerminal) = (output, progress, isTerminal);
        _loop = ShowAsync();
    }

    public static BatchProgressLine Start(TextWriter output, Func<BatchProgress> progress) =>
        new(output, progress, ReferenceEquals(output, Console.Error) && !Console.IsErrorRedirected);

    public static string Bar(BatchProgress progress)
    {
        var whole = (int)(BarLength * progress.Share); // rounded down, as the share is
        return string.Create(CultureInfo.InvariantCulture, $"{new string('█', whole)}{new string('░', BarLength - whole)} {progress}, {progress.Calls} calls in flight");
    }

    public async Task EndAsync()
    {
        if (_hasEnded)
            return;
        _hasEnded = true;
        await _end.CancelAsync();
        await _loop;
        await _output.WriteLineAsync(_isTerminal ? "\r" + Padded() : $"{_progress()}");
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _end.Dispose();
    }

    private async Task ShowAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            await Task.Delay(_isTerminal ? OnTerminal : Elsewhere, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_end.IsCancellationRequested)
                return;
            if (_isTerminal)
                await _output.WriteAsync("\r" + Padded());
            else
                await _output.WriteLineAsync($"{_progress()}");
        }
    }

    private string Padded() => Bar(_progress()).PadRight(Math.Max(1, Math.Min(160, Console.IsErrorRedirected ? 120 : Console.WindowWidth - 1)));
}
