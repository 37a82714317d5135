namespace HaKit.Tool.Tuning;

/// <summary>A history that is divided into parts. The search tries settings on the first parts and compares them on the later parts.</summary>
internal interface ITuningHistory
{
    /// <summary>Gets a short description of the history.</summary>
    string Title { get; }

    /// <summary>Gets the name of each part, in order of time.</summary>
    IReadOnlyList<string> Parts { get; }

    /// <summary>Creates the current settings, each time as a new object.</summary>
    EndpointPoolOptions CreateSettings();

    /// <summary>Runs one part with changed settings. The same change gives the same figures.</summary>
    PartFigures Run(int part, Action<EndpointPoolOptions> change);
}
