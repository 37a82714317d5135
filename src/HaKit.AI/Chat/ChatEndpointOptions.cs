using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Sets how the pool uses one chat endpoint: unsupported parameters, changes of each attempt's options, and the end of its streams. Not thread-safe; read when
/// the endpoint is added.
/// </summary>
public sealed class ChatEndpointOptions
{
    /// <summary>Gets or sets the parameters that the endpoint does not support. Default: none.</summary>
    public ChatParameters Unsupported { get; set; }

    /// <summary>Gets or sets what happens to a call that uses one of the unsupported parameters. Default: the endpoint is not chosen for the call.</summary>
    public UnsupportedParameters OnUnsupported { get; set; }

    /// <summary>
    /// Gets or sets code that changes the options of each attempt on this endpoint. The code gets a copy of the options, in which unsupported parameters are
    /// already left out and the endpoint's model is already set. The code runs on many threads at the same time. Default: none.
    /// </summary>
    public Action<ChatOptions>? ConfigureOptions { get; set; }

    /// <summary>
    /// Gets or sets code that changes the options of an attempt that continues a cut answer by <see cref="Continuation.AssistantPrefix"/>. Use it if the
    /// provider needs more than the assistant's message at the end, for example a flag. The code gets a copy of the options, and runs on many threads at the
    /// same time. Default: none.
    /// </summary>
    public Action<ChatOptions>? ConfigureContinuation { get; set; }

    /// <summary>
    /// Gets or sets whether the client reports a finish reason at the end of each stream. If true, a stream that ends without a finish reason counts as cut.
    /// Default true.
    /// </summary>
    public bool MarksEnd { get; set; } = true;

    /// <summary>
    /// Gets or sets a function that finds the finish reason of an update without a <see cref="ChatResponseUpdate.FinishReason"/>; it returns null if there is
    /// no reason. Use it for a client that reports the reason of some answers only in <see cref="ChatResponseUpdate.RawRepresentation"/>. The function runs for
    /// each update without a reason, on many threads at the same time. Default: none.
    /// </summary>
    public Func<ChatResponseUpdate, ChatFinishReason?>? FinishOf { get; set; }
}

/// <summary>Selects the treatment of a call with a parameter that an endpoint does not support.</summary>
public enum UnsupportedParameters
{
    /// <summary>The endpoint is not chosen for the call. If no endpoint is left, the call ends with <see cref="UnsupportedParametersException"/>.</summary>
    Refuse,

    /// <summary>
    /// Tuning parameters (<see cref="ChatParameters.Tuning"/>) are left out, and the answer lists them (<see cref="ChatStory.DroppedKey"/>). Parameters that
    /// change the meaning of the answer are never left out: the endpoint is not chosen for calls with such parameters.
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

    /// <summary>The parameters that tune the answer without changing its meaning: all of the above.</summary>
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

/// <summary>The exception that is thrown when a call uses parameters that no endpoint of the pool supports. Nothing was sent.</summary>
public sealed class UnsupportedParametersException : ArgumentException
{
    internal UnsupportedParametersException(string pool, ChatParameters parameters)
        : base($"Pool '{pool}': no endpoint supports {parameters} as this call uses them.", "options")
    {
        Pool = pool;
        Parameters = parameters;
    }

    /// <summary>Gets the pool's name.</summary>
    public string Pool { get; }

    /// <summary>Gets the parameters of the call that at least one endpoint does not support.</summary>
    public ChatParameters Parameters { get; }
}
