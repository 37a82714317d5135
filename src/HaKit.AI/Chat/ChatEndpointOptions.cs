using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>What is special about one chat endpoint. Not thread-safe; read when the endpoint is added.</summary>
public sealed class ChatEndpointOptions
{
    /// <summary>Parameters that the endpoint does not support. Default none.</summary>
    public ChatParameters Unsupported { get; set; }

    /// <summary>What becomes of a call that uses one of them. Default: the endpoint is not chosen for it.</summary>
    public UnsupportedParameters OnUnsupported { get; set; }

    /// <summary>Changes the options of each attempt on this endpoint: a copy, after what is unsupported was dropped and the endpoint's model was set. Called from many threads at once. Default none.</summary>
    public Action<ChatOptions>? ConfigureOptions { get; set; }

    /// <summary>
    /// Changes the options of an attempt that asks for the rest of a cut answer by <see cref="Continuation.AssistantPrefix"/>: sets what the client needs beside the
    /// assistant's message at the end, such as a flag of the provider's. A copy; called from many threads at once. Default none.
    /// </summary>
    public Action<ChatOptions>? ConfigureContinuation { get; set; }

    /// <summary>Does its client say at the end of a stream why it ended? Then an end without a finish reason is a cut. Default true.</summary>
    public bool MarksEnd { get; set; } = true;

    /// <summary>
    /// The finish reason of an update that its client sets none on, or null; for a client that leaves it out of some ends, and tells of them in
    /// <see cref="ChatResponseUpdate.RawRepresentation"/> alone. Called for each update without a reason, from many threads at once. Default none.
    /// </summary>
    public Func<ChatResponseUpdate, ChatFinishReason?>? FinishOf { get; set; }
}

/// <summary>What becomes of a call that uses a parameter which an endpoint does not support.</summary>
public enum UnsupportedParameters
{
    /// <summary>The endpoint is not chosen for it; when no endpoint is left, the call is refused with <see cref="UnsupportedParametersException"/>.</summary>
    Refuse,

    /// <summary>
    /// Those that tune (<see cref="ChatParameters.Tuning"/>) are left out, and the answer says which (<see cref="ChatStory.DroppedKey"/>). Those that
    /// change what the answer means are never left out: for them the endpoint is not chosen.
    /// </summary>
    Drop,
}

/// <summary>Parameters of <see cref="ChatOptions"/>.</summary>
[Flags]
public enum ChatParameters
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><see cref="ChatOptions.Temperature"/>.</summary>
    Temperature = 1,

    /// <summary><see cref="ChatOptions.TopP"/>.</summary>
    TopP = 2,

    /// <summary><see cref="ChatOptions.TopK"/>.</summary>
    TopK = 4,

    /// <summary><see cref="ChatOptions.FrequencyPenalty"/>.</summary>
    FrequencyPenalty = 8,

    /// <summary><see cref="ChatOptions.PresencePenalty"/>.</summary>
    PresencePenalty = 16,

    /// <summary><see cref="ChatOptions.Seed"/>.</summary>
    Seed = 32,

    /// <summary><see cref="ChatOptions.Reasoning"/>.</summary>
    Reasoning = 64,

    /// <summary>Those that tune the answer and do not change what it means: all of the above.</summary>
    Tuning = Temperature | TopP | TopK | FrequencyPenalty | PresencePenalty | Seed | Reasoning,

    /// <summary><see cref="ChatOptions.MaxOutputTokens"/>.</summary>
    MaxOutputTokens = 128,

    /// <summary><see cref="ChatOptions.StopSequences"/>.</summary>
    StopSequences = 256,

    /// <summary><see cref="ChatOptions.ResponseFormat"/>, unless it is plain text.</summary>
    ResponseFormat = 512,

    /// <summary><see cref="ChatOptions.ToolMode"/>, unless it is automatic.</summary>
    ToolMode = 1024,

    /// <summary><see cref="ChatOptions.AllowMultipleToolCalls"/>.</summary>
    AllowMultipleToolCalls = 2048,
}

/// <summary>A call uses parameters that no endpoint of the pool supports. Nothing was sent.</summary>
public sealed class UnsupportedParametersException : ArgumentException
{
    internal UnsupportedParametersException(string pool, ChatParameters parameters)
        : base($"Pool '{pool}': no endpoint supports {parameters} as this call uses them.", "options")
    {
        Pool = pool;
        Parameters = parameters;
    }

    /// <summary>The pool's name.</summary>
    public string Pool { get; }

    /// <summary>What the call uses and some endpoint does not support.</summary>
    public ChatParameters Parameters { get; }
}
