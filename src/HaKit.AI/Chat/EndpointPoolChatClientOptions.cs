using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>How chat calls use a pool. Not thread-safe; read when the client is made.</summary>
public sealed class EndpointPoolChatClientOptions
{
    /// <summary>What is known of every call; one call says otherwise with <see cref="ChatProfiles.UseHaProfile"/>. Default: nothing.</summary>
    public RequestProfile Profile { get; set; } = RequestProfile.Default;

    /// <summary>May a call that carries state of a provider be confined to the endpoints that share that state? Default true; otherwise it is refused with <see cref="StateNotPortableException"/>.</summary>
    public bool PinState { get; set; } = true;

    /// <summary>What becomes of encrypted reasoning in messages when another provider is to go on. Default: the call stays with the provider that made it.</summary>
    public EncryptedReasoning EncryptedReasoning { get; set; }

    /// <summary>
    /// Estimates the tokens of a prompt, for context windows and token limits. An estimate steers the call past windows that look too small; it never refuses
    /// one. Default: a quarter of the UTF-8 bytes, 4 for each message, 1,000 for each image, 150 for each tool.
    /// </summary>
    public Func<IReadOnlyList<ChatMessage>, ChatOptions?, int>? EstimateTokens { get; set; }

    /// <summary>
    /// Origins of state (conversation ids, files, encrypted reasoning) that are remembered, as hashes. At least this many of the latest; at most twice as many.
    /// Default 16,384; at least 1.
    /// </summary>
    public int RememberedStates { get; set; } = 16_384;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Profile);
        ArgumentOutOfRangeException.ThrowIfLessThan(RememberedStates, 1);
    }
}

/// <summary>What becomes of encrypted reasoning (<see cref="TextReasoningContent.ProtectedData"/>) that only the provider that made it can read.</summary>
public enum EncryptedReasoning
{
    /// <summary>The call is confined to the endpoints that can read it.</summary>
    Pin,

    /// <summary>Endpoints that cannot read it get the messages without it. A reasoning model then goes on from the text alone.</summary>
    LeaveOut,
}

/// <summary>What is known of one chat call.</summary>
public static class ChatProfiles
{
    private const string Key = "hakit.profile";

    /// <summary>Says what is known of the calls made with these options: affinity, priority, deadline, where they may go. It is taken out before an endpoint sees the options.</summary>
    /// <param name="options">The options.</param>
    /// <param name="profile">What is known. Its <see cref="RequestProfile.Endpoints"/> also say where state belongs whose origin the pool does not know.</param>
    /// <returns>The same options.</returns>
    public static ChatOptions UseHaProfile(this ChatOptions options, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(profile);
        (options.AdditionalProperties ??= [])[Key] = profile;
        return options;
    }

    /// <summary>Takes the profile out of a copy of the options, if there is one in them.</summary>
    internal static RequestProfile? ExtractProfile(ref ChatOptions? options)
    {
        if (options?.AdditionalProperties is not { } properties || !properties.TryGetValue(Key, out var value) || value is not RequestProfile profile)
            return null;
        options = options.Clone();
        options.AdditionalProperties!.Remove(Key);
        return profile;
    }
}
