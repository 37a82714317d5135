using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Sets how chat calls use a pool. Not thread-safe; read when the client is created.</summary>
public sealed class EndpointPoolChatClientOptions
{
    /// <summary>
    /// Gets or sets the profile of every call; <see cref="ChatProfiles.UseHaProfile"/> overrides it for one call. Default: <see
    /// cref="RequestProfile.Default"/>.
    /// </summary>
    public RequestProfile Profile { get; set; } = RequestProfile.Default;

    /// <summary>
    /// Gets or sets whether a call with a provider's state may be confined to the endpoints that share the state. If false, the call ends with <see
    /// cref="StateNotPortableException"/>. Default true.
    /// </summary>
    public bool PinState { get; set; } = true;

    /// <summary>
    /// Gets or sets what happens to encrypted reasoning in messages when another provider would continue. Default: the call stays with the provider that
    /// created it.
    /// </summary>
    public EncryptedReasoning EncryptedReasoning { get; set; }

    /// <summary>
    /// Gets or sets a function that estimates the tokens of a prompt, for context windows and token limits. The estimate steers the call past context windows
    /// that look too small; it never refuses a call. Default: a quarter of the UTF-8 bytes, plus 4 for each message, 1,000 for each image, and 150 for each
    /// tool.
    /// </summary>
    public Func<IReadOnlyList<ChatMessage>, ChatOptions?, int>? EstimateTokens { get; set; }

    /// <summary>
    /// Gets or sets how many origins of state (conversation ids, files, encrypted reasoning) are remembered, as hashes: at least this many of the latest, and
    /// at most twice as many. Default 16,384; at least 1.
    /// </summary>
    public int RememberedStates { get; set; } = 16_384;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Profile);
        ArgumentOutOfRangeException.ThrowIfLessThan(RememberedStates, 1);
    }
}

/// <summary>
/// Says what happens to encrypted reasoning (<see cref="TextReasoningContent.ProtectedData"/>) that only the provider which created it can read.
/// </summary>
public enum EncryptedReasoning
{
    /// <summary>The call is confined to the endpoints that can read the reasoning.</summary>
    Pin,

    /// <summary>Endpoints that cannot read the reasoning get the messages without it. A reasoning model then continues from the text alone.</summary>
    LeaveOut,
}

/// <summary>Adds profiles to chat calls.</summary>
public static class ChatProfiles
{
    private const string Key = "hakit.profile";

    /// <summary>
    /// Adds a profile to the calls that are made with these options: affinity, priority, deadline, allowed endpoints. The pool removes it before an endpoint
    /// sees the options.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="profile">The profile. Its <see cref="RequestProfile.Endpoints"/> also name the origin of state whose origin the pool does not know.</param>
    /// <returns>The same options.</returns>
    public static ChatOptions UseHaProfile(this ChatOptions options, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(profile);
        (options.AdditionalProperties ??= [])[Key] = profile;
        return options;
    }

    /// <summary>Removes the profile from a copy of the options, if they have one.</summary>
    internal static RequestProfile? ExtractProfile(ref ChatOptions? options)
    {
        if (options?.AdditionalProperties is not { } properties || !properties.TryGetValue(Key, out var value) || value is not RequestProfile profile)
            return null;
        options = options.Clone();
        options.AdditionalProperties!.Remove(Key);
        return profile;
    }
}
