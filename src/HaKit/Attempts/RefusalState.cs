namespace HaKit.Attempts;

/// <summary>The decision whether and where a refused call continues.</summary>
internal enum RefusalState
{
    /// <summary>The call was not refused.</summary>
    None,

    /// <summary>The call may try one other endpoint for a second opinion, if the retry budget allows it.</summary>
    MayAskOne,

    /// <summary>The call may try each untried endpoint once, if the endpoint can take an attempt now.</summary>
    MayAskEach,

    /// <summary>Two endpoints have given refusals of the kind <see cref="SecondOpinion.One"/>, so the refusal is final.</summary>
    Final,
}
