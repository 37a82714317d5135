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
    /// Gets or sets whether the pool may send a call with a provider's state (such as a conversation id) only to the endpoints that share the state. If false,
    /// such a call ends with <see cref="StateNotPortableException"/>. Default true.
    /// </summary>
    public bool PinState { get; set; } = true;

    /// <summary>
    /// Gets or sets what happens to encrypted reasoning in messages if the call could move to another provider. Default: the call stays with the provider that
    /// created the reasoning.
    /// </summary>
    public EncryptedReasoning EncryptedReasoning { get; set; }

    /// <summary>
    /// Gets or sets a function that estimates the tokens of a prompt, for context windows and token limits. The pool avoids endpoints whose context window is
    /// smaller than the estimate, but never refuses a call because of the estimate. Default: a quarter of the UTF-8 bytes, plus 4 tokens for each message,
    /// 1,000 for each image, and 150 for each tool.
    /// </summary>
    public Func<IReadOnlyList<ChatMessage>, ChatOptions?, int>? EstimateTokens { get; set; }

    /// <summary>
    /// Gets or sets the number of pieces of state (conversation ids, files, encrypted reasoning) for which the client remembers the endpoint that created them.
    /// The client keeps hashes of at least this number of the latest pieces, and of at most twice this number. All chat clients of a pool share this memory, and
    /// the largest number counts. Default 16,384; at least 1.
    /// </summary>
    public int RememberedStates { get; set; } = 16_384;

    internal void Validate(string pool)
    {
        var client = $"The options of the chat client over pool '{pool}' (AddHaChatClient, AsChatClient)";
        ClientOptions.ThrowIfNull(client, Profile);
        ClientOptions.ThrowIfBelowOne(client, nameof(RememberedStates), RememberedStates);
    }
}

/// <summary>
/// Selects what happens to encrypted reasoning (<see cref="TextReasoningContent.ProtectedData"/>), which only the provider that created it can read.
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
    internal const string Key = "hakit.profile";

    /// <summary>
    /// Adds a profile to the calls that are made with these options: affinity, priority, deadline, allowed endpoints. The pool removes the profile before it
    /// passes the options to an endpoint's client.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="profile">
    /// The profile. If it is not known which endpoint created a state in the messages, <see cref="RequestProfile.Endpoints"/> must name the endpoints that have
    /// this state.
    /// </param>
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
