using System.Buffers;
using System.Collections.Frozen;

namespace HaKit.Dialects;

/// <summary>
/// Finds the part of a message that is certainly the server's own: whole clauses at the beginning in which each word is one with which servers speak about limits,
/// accounts and models. A caller's text has other words, so it cannot stand in this part, even without a sign in front of it ("Cannot read explain
/// insufficient_quota to me"). Names such as "org-4a", "gpt-4o" and addresses have no meaning and are passed. Pure.
/// </summary>
internal static class ServerVocabulary
{
    // "prompt", "access" and "process" stand before a caller's text too, so they count only in these texts. The first word of a text is in no other list.
    internal static readonly string[] Texts = ["prompt tokens", "prompt (", "input tokens", "input of", "input or output tokens", "process your request", "handle additional requests", "sorry, your account", "access denied due to", "access denied, please", "access to", "access on", "access model", "access non-serverless", "unavailable model", "information on this error", "learn more", "sorry, you have", "our servers", "we are at capacity", "we are experiencing", "we're experiencing", "authentication failed", "valid model", "resource group"];

    // Each word once, in lower case.
    internal static readonly string[] Words =
    [
        "a an the this that it its is are was were has have had been be being to of on for in by or and at with due either not no than if your you any all more another other current currently now yet again later after before until within per which while less under using over as you've",
        "account accounts organization organisation org team teams user users customer project subscription workspace tenant key keys api token tokens ip region administrator contact support plan tier trial free paid prepaid virtual good standing newly created hit left against prepayment messages cycle told monitor permission doesn't don't does do can cannot can't may must",
        "balance credit credits quota quotas limit limits limited limiting budget billing usage spend spending cost funds cap hard soft package allocation allowance license licenses point points pricing coding glm basic standard pro premium enterprise included ended service services azure openai aiservices cognitiveservices gemini grok payment paying pay",
        "reached exceeded exceeds exceed exceeding exhausted depleted insufficient enough used use up out run reaching suspended inactive active disabled revoked expired arrears overdue low too leaked reported negative possibly specified available selected requires require required extra reduced burst creating predictions",
        "monthly weekly daily hourly session month week day days hour hours minute minutes min second seconds sec secs ms today tomorrow year date time times utc gmt cst",
        "would will please make sure try trying retry retrying wait waiting slow down check increase upgrade recharge top add details head visit see come back regain reset resets replenished renew need higher level",
        "request requests requested call calls rate volume many few large larger size body max maximum number concurrent concurrency rpm tpm rpd tpd remaining type metric throttled expected operation version demand",
        "model models publisher deployment deployments endpoint endpoints exist exists found find name named id identifier invalid unknown unable incorrect could list supported such decommissioned deprecated retired end life passed non-serverless chat thus case submitted activated loaded params provided listed removed longer inaccessible deployed uid fill filled form already anthropic",
        "overloaded overload capacity temporarily server servers system engine busy high inference backend bucket window full empty maintenance progress there experiencing peak load allowed during flex traffic flight gpu long context bearer",
    ];

    // The word after one of these words is a name: "Your team deadb has …", "in Sweden Central", "Account x is suspended".
    private static readonly string[] s_beforeName = ["team", "account", "organization", "org", "project", "plan", "name", "id", "in", "for", "tenant", "workspace", "named"];

    // A clause may end before one of these words.
    private static readonly string[] s_joints = ["or", "and", "for", "of", "on", "to", "at"];

    // A sentence begins with one of these words. In the middle of a sentence, a caller's text begins with it ("Too Many Requests You exceeded …").
    private static readonly string[] s_firstWords = ["You", "Your", "The", "This", "Please"];

    private static readonly string[] s_fields = ["limit", "used", "requested", "current", "tokens", "requests"];

    private static readonly FrozenDictionary<string, WordUse>.AlternateLookup<ReadOnlySpan<char>> s_uses = Words.SelectMany(static line => line.Split(' '))
        .ToFrozenDictionary(static word => word, static word => UseOf(word), StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly SearchValues<char> s_letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'");

    private static readonly SearchValues<char> s_ofValue = SearchValues.Create("0123456789/");

    [Flags]
    private enum WordUse
    {
        None = 0,
        BeforeName = 1,
        Joint = 2,
        First = 4,
        Field = 8,
    }

    // Chinese has no spaces between words. The longer texts come first.
    internal static readonly string[] Pieces =
    [
        "或无可用资源包", "使用上限", "后继续使用", "暂无法使用", "续费", "请充值", "后重试", "稍后", "重试", "再试", "小时", "达到", "剩余", "账户", "账号", "用户", "余额", "额度", "不足", "用尽", "用完", "欠费", "套餐", "到期", "免费", "每日", "每周", "每月", "今日", "本月", "当前", "模型", "不存在", "令牌", "分钟", "您", "你", "已", "的", "该", "请", "后",
    ];

    // The name of a status has no sentence of the server directly behind it ("Too Many Requests why do I get …").
    internal static readonly string[] Heads = ["Too Many Requests", "Service Unavailable", "Not Found", "Request too large"];

    private static readonly string[] s_nextLines = ["* ", "please retry in "];

    // Google lists each limit that is used up on a separate line, and the time to wait after them. This message contains no caller's text.
    private const string Google = "You exceeded your current quota, please check your plan and billing details";

    /// <summary>Measures the server's own part of a message.</summary>
    /// <param name="text">The message without quoted text, after the names of exceptions.</param>
    /// <returns>The length of the part; 0 if the message begins with a text that may be a caller's.</returns>
    public static int MeasureOwn(ReadOnlySpan<char> text)
    {
        foreach (var head in Heads)
        {
            if (text.StartsWith(head) && text[head.Length..] is [' ', var next, ..] && char.IsLetter(next) && !text[head.Length..].StartsWith(" for "))
                return head.Length;
        }

        var place = new Place();
        while (place.At < text.Length && place.Read(text))
        {
        }

        return place.Own;
    }

    private static WordUse UseOf(string word) =>
        (s_beforeName.Contains(word) ? WordUse.BeforeName : 0) | (s_joints.Contains(word) ? WordUse.Joint : 0) | (s_fields.Contains(word) ? WordUse.Field : 0)
        | (s_firstWords.Contains(word, StringComparer.OrdinalIgnoreCase) ? WordUse.First : 0);

    private static bool StartsWithAny(ReadOnlySpan<char> text, string[] beginnings, out int length)
    {
        foreach (var beginning in beginnings)
        {
            length = beginning.Length;
            if (text.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        length = 0;
        return false;
    }

    // "org-4a", "https://x.ai", "10,000". A mark inside a word has a letter, a digit or a slash after it.
    private static int LengthOfWord(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || IsInside(text, end)))
            end++;
        return end;
    }

    // An address goes on to the next space, without the marks of the sentence behind it.
    private static int LengthOfName(ReadOnlySpan<char> text, int length)
    {
        if (!text[..length].Contains("://", StringComparison.Ordinal))
            return length;
        var space = text.IndexOfAny(" \t\r\n");
        return text[..(space < 0 ? text.Length : space)].TrimEnd(".,;:!?)").Length;
    }

    private static bool IsInside(ReadOnlySpan<char> text, int at)
    {
        if (at + 1 == text.Length || !char.IsAsciiLetterOrDigit(text[at + 1]) && text[at + 1] != '/')
            return false;
        return text[at] is '_' or '\'' or '/' or '@' or '-' or '.' or ':' || text[at] == ',' && at > 0 && char.IsAsciiDigit(text[at - 1]) && char.IsAsciiDigit(text[at + 1]);
    }

    private static bool IsName(ReadOnlySpan<char> word) => word.ContainsAnyExcept(s_letters);

    private struct Place
    {
        private int _comma = -1; // the last comma. A clause ends there if the next word is the server's.
        private int _word; // the last word of the vocabulary
        private bool _isInSentence;
        private bool _isChinese;
        private bool _mayBeName;
        private bool _isAfterName;

        public Place()
        {
        }

        public int At { get; private set; }

        /// <summary>Gets the end of the last clause that is the server's.</summary>
        public int Own { get; private set; }

        /// <summary>Reads the next word or mark. False if the server's part ends there.</summary>
        public bool Read(ReadOnlySpan<char> text)
        {
            var c = text[At];
            if (char.IsAsciiLetterOrDigit(c))
                return ReadWord(text[At..]) && EndAt(text.Length);
            if (char.IsLetter(c))
                return StartsWithAny(text[At..], Pieces, out var length) && ReadPiece(length) && EndAt(text.Length);
            return ReadMark(text);
        }

        private bool ReadMark(ReadOnlySpan<char> text)
        {
            switch (text[At])
            {
                case '.' or ';' or '!' or '?' or '。' or '；' or '！' or '？':
                    Own = At;
                    _isInSentence = _isChinese = false;
                    break;
                case ',' or '，' or '、':
                    _comma = At;
                    break;
                case ':':
                    Own = At;
                    return At + 1 < text.Length && IsValue(text[(At + 1)..].TrimStart(' ')) && Skip(1);
                case '(':
                    return ReadParenthesis(text[At..]);
                case '\n':
                    return ReadLine(text);
                case '{':
                    Own = At;
                    return false;
                case '=':
                    Own = Math.Max(Own, _word);
                    return false;
                default:
                    if (ServerWords.EndsClause(text, At))
                    {
                        Own = At;
                        return false;
                    }
                    break;
            }

            return Skip(1) && EndAt(text.Length);
        }

        // After English words, a Chinese text may be a caller's.
        private bool ReadPiece(int length)
        {
            _isChinese |= !_isInSentence;
            return _isChinese && Pass(length);
        }

        private bool ReadWord(ReadOnlySpan<char> rest)
        {
            var word = rest[..LengthOfWord(rest)];
            if (IsName(word) || word is [not ('I' or 'i')])
                return Pass(LengthOfName(rest, word.Length));
            var plain = word.EndsWith("'s", StringComparison.OrdinalIgnoreCase) ? word[..^2] : word;
            if (!s_uses.TryGetValue(plain, out var use))
                return StartsWithAny(rest, Texts, out var length) ? Pass(length) : ReadName(word);
            // "Slow down, Please wait 60 seconds".
            var isAfterComma = _comma >= 0 && word is "Please";
            if (_isInSentence && (use & WordUse.First) != 0 && char.IsAsciiLetterUpper(word[0]) && !isAfterComma)
                return ReadName(word);
            if ((use & WordUse.Joint) != 0)
                Own = At;
            _word = At;
            Pass(word.Length);
            _mayBeName = (use & WordUse.BeforeName) != 0;
            return true;
        }

        // "Sweden Central": another capital follows the capital of a name.
        private bool ReadName(ReadOnlySpan<char> word)
        {
            var isCapital = char.IsAsciiLetterUpper(word[0]);
            if (!_mayBeName || OwnMessage.IsEcho(word) || _isAfterName && !isCapital)
                return false;
            Pass(word.Length);
            _mayBeName = _isAfterName = isCapital;
            return true;
        }

        // "(TPM)", "(5000)", "(limit 5, requested 9)".
        private bool ReadParenthesis(ReadOnlySpan<char> rest)
        {
            var close = rest.IndexOf(')');
            return close > 0 && Skip(rest[..close].Contains(' ') ? 1 : close);
        }

        private bool ReadLine(ReadOnlySpan<char> text)
        {
            Own = At;
            var next = text[At..].TrimStart(" \t\r\n");
            if (!StartsWithAny(next, s_nextLines, out _) && !text.StartsWith(Google, StringComparison.OrdinalIgnoreCase))
                return false;
            At = text.Length - next.Length;
            _isInSentence = false;
            return true;
        }

        // After a colon, a value of the server: a number, a name, or the name of a limit.
        private static bool IsValue(ReadOnlySpan<char> rest)
        {
            var word = rest[..LengthOfWord(rest)];
            return word.Length == 1 || word.ContainsAny(s_ofValue) || s_uses.TryGetValue(word, out var use) && (use & WordUse.Field) != 0;
        }

        private bool Pass(int length)
        {
            if (_comma >= 0)
                Own = _comma;
            (_comma, _mayBeName, _isAfterName, _isInSentence) = (-1, false, false, true);
            return Skip(length);
        }

        private bool Skip(int length)
        {
            At += length;
            return true;
        }

        private bool EndAt(int length)
        {
            if (At == length)
                Own = length;
            return true;
        }
    }
}
