namespace HaKit.Tool.Vaults;

/// <summary>Shows the progress of work that takes longer than 2 s, in steps of half a percent.</summary>
internal sealed class ProgressBar(Progress progress) : IProgress<double>
{
    private double _shown;

    public void Report(double value)
    {
        if (progress.Took > TimeSpan.FromSeconds(2) && (value >= _shown + 0.005 || value < _shown))
            progress.Show(_shown = value);
    }

    public void End()
    {
        if (_shown is > 0 and < 1)
            progress.Show(1);
    }
}
