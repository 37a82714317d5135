namespace HaKit.Dialects;

/// <summary>
/// Determines whether a message says that an account, a key or a resource is out of use ("Your resource has been temporarily blocked", "We have suspended your
/// account"). Such a message may name a content policy as the reason, but it is not about the prompt of one call. Pure.
/// </summary>
internal static class AccountStates
{
    // In an active sentence ("We have suspended your account"), at most this many words stand between the state and the account.
    private const int MostBetween = 3;

    private static readonly WordTable s_subjects = new(
        "account", "accounts", "organization", "organisation", "org", "resource", "subscription", "project", "workspace", "tenant", "team", "deployment", "license", "credential", "credentials", "key",
        "user", "customer", "client", "application", "app");

    // "Access" counts only after one of these words: "Access to this content is restricted" is about the content.
    private static readonly WordTable s_owners = new("your", "api", "account");

    private static readonly WordTable s_things = new(
        "request", "requests", "prompt", "prompts", "input", "inputs", "message", "messages", "content", "contents", "response", "output", "completion", "query", "question", "text", "image", "conversation", "file", "topic");

    private static readonly WordTable s_verbs = new("is", "was", "are", "were", "be", "been", "being", "got", "remains");

    private static readonly WordTable s_objects = new("by", "this", "that", "the", "your", "our", "its", "a", "an");

    private static readonly WordTable s_states = new(
        "blocked", "suspended", "disabled", "deactivated", "terminated", "banned", "restricted", "revoked", "closed", "locked", "frozen", "paused", "cancelled", "canceled", "flagged", "denied", "barred", "expelled",
        "ineligible", "inactive", "blacklisted", "removed");

    // A sentence with one of these words is a warning ("Your account may be suspended").
    private static readonly WordTable s_conditions = new("may", "might", "could", "can", "will", "would", "if", "when", "avoid", "prevent", "risk", "not", "never");

    /// <summary>Checks whether a part of a message names a part of a request, such as the prompt.</summary>
    /// <param name="words">The part, without quoted text.</param>
    public static bool NamesThing(ReadOnlySpan<char> words)
    {
        var sentence = new Sentence();
        while (NextWord(ref words, ref sentence) is { IsEmpty: false } word)
        {
            if (s_things.Contains(word))
                return true;
        }

        return false;
    }

    /// <summary>Checks whether a part of a message says that an account is out of use.</summary>
    /// <param name="words">The part, without quoted text.</param>
    public static bool AreStatedIn(ReadOnlySpan<char> words)
    {
        var sentence = new Sentence();
        while (NextWord(ref words, ref sentence) is { IsEmpty: false } word)
        {
            if (sentence.Read(word, hasObject: StartsWithObject(words)))
                return true;
        }

        return false;
    }

    // A word has letters, digits, underscores and apostrophes. The organization in "your organization's policy" is no subject.
    private static ReadOnlySpan<char> NextWord(ref ReadOnlySpan<char> words, ref Sentence sentence)
    {
        var start = 0;
        while (start < words.Length && !IsOfWord(words[start]))
        {
            if (words[start] is '\n' || words[start] is '.' or '!' or '?' or ':' && (start + 1 == words.Length || words[start + 1] == ' '))
                sentence = default;
            start++;
        }

        var end = start;
        while (end < words.Length && IsOfWord(words[end]))
            end++;
        var word = words[start..end];
        words = words[end..];
        return word;
    }

    // "Account suspended", but not "organization blocked this request" and not "resource blocked by a filter".
    private static bool StartsWithObject(ReadOnlySpan<char> rest)
    {
        if (!rest.StartsWith(" "))
            return false;
        var end = 1;
        while (end < rest.Length && IsOfWord(rest[end]))
            end++;
        return s_objects.Contains(rest[1..end]);
    }

    private static bool IsOfWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '\'';

    private struct Sentence
    {
        private bool _isCondition;
        private bool _hasSubject;
        private bool _hasVerb;
        private bool _isAfterSubject;
        private bool _isAfterOwner;
        private bool _isOfThing; // an account after a part of the request only describes it: "the prompt sent to this deployment was blocked"
        private int _left; // the words that may still stand between the state and the account of an active sentence

        /// <summary>Reads the next word. True if the sentence now says that an account is out of use.</summary>
        public bool Read(ReadOnlySpan<char> word, bool hasObject)
        {
            var isAfterSubject = _isAfterSubject;
            var isSubject = s_subjects.Contains(word) || _isAfterOwner && word.Equals("access", StringComparison.OrdinalIgnoreCase);
            (_isAfterSubject, _isAfterOwner, _left) = (isSubject, s_owners.Contains(word), _left - 1);
            _isCondition |= s_conditions.Contains(word);
            if (_isCondition)
                return false;
            if (isSubject && _isOfThing)
                return false;
            if (isSubject)
            {
                (_hasSubject, _hasVerb) = (true, false);
                return _left >= 0;
            }

            if (s_things.Contains(word))
                this = new Sentence { _isOfThing = true };
            else if (word.Equals("by", StringComparison.OrdinalIgnoreCase))
                _left = 0;
            else if (s_verbs.Contains(word))
                _hasVerb = true;
            else if (s_states.Contains(word))
                return ReadState(isAfterSubject, hasObject);
            return false;
        }

        private bool ReadState(bool isAfterSubject, bool hasObject)
        {
            if (_hasSubject && (_hasVerb || isAfterSubject && !hasObject))
                return true;
            _left = _hasVerb ? 0 : MostBetween + 1;
            return false;
        }
    }

    /// <summary>A few words in lower case, compared without regard to case.</summary>
    private sealed class WordTable(params string[] words)
    {
        public bool Contains(ReadOnlySpan<char> word)
        {
            foreach (var known in words)
            {
                if (word.Equals(known, StringComparison.OrdinalIgnoreCase))
                    return true;
            }

            return false;
        }
    }
}
