namespace HaKit.Tool.Tuning;

/// <summary>What happened, in parts of the time: settings are tried on the first of them and judged on the others.</summary>
internal interface ITuningHistory
{
    /// <summary>What it is, in a few words.</summary>
    string Title { get; }

    /// <summary>The name of each part, in the order of time.</summary>
    IReadOnlyList<string> Parts { get; }

    /// <summary>Makes the settings as they are, anew each time.</summary>
    EndpointPoolOptions CreateSettings();

    /// <summary>Runs one part under changed settings. The same change gives the same figures.</summary>
    PartFigures Run(int part, Action<EndpointPoolOptions> change);
}
