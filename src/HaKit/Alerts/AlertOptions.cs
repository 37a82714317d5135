namespace HaKit.Alerts;

/// <summary>Sets which receivers get alerts, and how often. Not thread-safe; read when the application starts.</summary>
public sealed class AlertOptions
{
    // A timer checks at the end of the quiet time whether an alert is due, and a timer takes at most 49 days.
    private static readonly TimeSpan s_longestQuiet = TimeSpan.FromDays(30);

    internal List<Func<AlertMessage, CancellationToken, ValueTask>> Sinks { get; private set; } = [];

    /// <summary>
    /// Gets or sets how long alerts are collected before they are sent. An alert that ends within this time is sent once, as ended. Default 2 s; 0 to a day.
    /// </summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Gets or sets the quiet time. After the start of an alert was sent, the same alert is not sent again within this time. If the problem ends and
    /// comes back within this time, the alert is sent when the time is over, provided that the problem still lasts. Default 5 min; 0 to 30 days.
    /// </summary>
    public TimeSpan Quiet { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets the largest number of notices that are sent one by one. If more notices are due at the same time, one digest is sent instead. Default 5; at
    /// least 1.
    /// </summary>
    public int DigestAbove { get; set; } = 5;

    /// <summary>
    /// Gets or sets how often to check whether each pool could bear the loss of each of its failure domains (<see
    /// cref="EndpointPoolExtensions.GetRedundancy"/>). Default 30 s; null: never; 100 ms to a day. A domain that contains every endpoint of the pool is not
    /// checked, because the pool can never bear its loss.
    /// </summary>
    public TimeSpan? RedundancyInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the largest acceptable share of calls that would wait or fail if a failure domain were lost. With a larger share, an alert starts. Default
    /// 0.05; 0 to 1.
    /// </summary>
    public double RedundancyLostShare { get; set; } = 0.05;

    /// <summary>Sends the messages to your own code, one after another. An exception is logged, and the message is not sent again.</summary>
    /// <param name="receive">Receives a message, on a timer's thread.</param>
    public AlertOptions Add(Func<AlertMessage, CancellationToken, ValueTask> receive)
    {
        ArgumentNullException.ThrowIfNull(receive);
        Sinks.Add(receive);
        return this;
    }

    /// <summary>Posts JSON to an address.</summary>
    /// <param name="address">An absolute http or https address. It may contain a secret and is never printed.</param>
    /// <param name="configure">Sets the body, the headers and the retries.</param>
    /// <exception cref="ArgumentException">The address or an option is invalid, or the address was added before.</exception>
    public AlertOptions AddWebhook(Uri address, Action<WebhookAlertOptions>? configure = null)
    {
        var options = new WebhookAlertOptions();
        configure?.Invoke(options);
        var webhook = new WebhookAlert(address, options.Copy());
        if (Webhooks.Any(w => w.IsFor(address)))
            throw new ArgumentException("AddWebhook was given the same address twice, so each alert would be posted twice. Add each receiver once. The address is not shown, because it may hold a secret.", nameof(address));
        Webhooks.Add(webhook);
        return Add(webhook.SendAsync);
    }

    internal List<WebhookAlert> Webhooks { get; private set; } = [];

    internal AlertOptions Copy()
    {
        var copy = (AlertOptions)MemberwiseClone();
        (copy.Sinks, copy.Webhooks) = ([.. Sinks], [.. Webhooks]);
        return copy;
    }

    internal IEnumerable<string> Validate()
    {
        if (SettingRange.Find("Alerts: Window", Window, most: SettingRange.LongestOfTimer) is { } window)
            yield return window;
        if (SettingRange.Find("Alerts: Quiet", Quiet, most: s_longestQuiet) is { } quiet)
            yield return quiet;
        if (DigestAbove < 1)
            yield return $"Alerts: DigestAbove is {DigestAbove}: at least 1 is needed.";
        if (RedundancyInterval is { } interval && SettingRange.Find("Alerts: RedundancyInterval", interval, TimeSpan.FromMilliseconds(100), SettingRange.LongestOfTimer) is { } wrong)
            yield return wrong;
        if (SettingRange.Find("Alerts: RedundancyLostShare", RedundancyLostShare, 0, 1) is { } share)
            yield return share;
        if (Sinks.Count == 0)
            yield return "Alerts: no receiver is configured. Add one in AddHaAlerts, with AddWebhook or Add.";
    }
}

/// <summary>Sets the body, the headers and the retries of a webhook. Not thread-safe; read when the webhook is added.</summary>
public sealed class WebhookAlertOptions
{
    /// <summary>
    /// Gets or sets the JSON that is posted. These placeholders in its strings are replaced: <c>{{text}}</c>, <c>{{status}}</c> (firing or resolved),
    /// <c>{{kind}}</c>, <c>{{pool}}</c>, <c>{{endpoint}}</c>, <c>{{detail}}</c>, <c>{{key}}</c>, <c>{{since}}</c>, <c>{{at}}</c> and <c>{{count}}</c>. For a
    /// digest, <c>text</c>, <c>at</c> and <c>count</c> describe the digest, and all other values describe its first notice. Default: an object with all values.
    /// For Slack and similar services use <c>{"text":"{{text}}"}</c>.
    /// </summary>
    public string Template { get; set; } = AlertTemplate.Default;

    /// <summary>Gets the headers of the request. They may contain credentials and are never printed. Default: none.</summary>
    public IDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets or sets the maximum number of attempts to send one message. Default 6; at least 1.</summary>
    public int MaxAttempts { get; set; } = 6;

    /// <summary>
    /// Gets or sets the wait after the first failure. Each further failure doubles the wait, up to <see cref="MaxDelay"/>. Default 1 s; more than 0,
    /// at most a day.
    /// </summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets the longest wait between two attempts. A longer <c>Retry-After</c> is cut to this value. Default 60 s; not shorter than <see
    /// cref="Delay"/>, at most a day.
    /// </summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets or sets the time limit for the answer to one request. Default 10 s; more than 0, at most a day.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the sender of the requests. The webhook does not dispose it. Default null: the webhook has its own connections.</summary>
    public HttpMessageInvoker? Http { get; set; }

    internal WebhookAlertOptions Copy()
    {
        var copy = (WebhookAlertOptions)MemberwiseClone();
        copy.Headers = new Dictionary<string, string>(Headers, StringComparer.OrdinalIgnoreCase);
        return copy;
    }

    internal void Validate()
    {
        SettingRange.ThrowIfAny(
            "AddWebhook: ",
            SettingRange.Find(nameof(MaxAttempts), MaxAttempts, 1, int.MaxValue),
            SettingRange.FindAboveZero(nameof(Delay), Delay, SettingRange.LongestOfTimer),
            SettingRange.Find(nameof(MaxDelay), MaxDelay, Delay, SettingRange.LongestOfTimer),
            SettingRange.FindAboveZero(nameof(Timeout), Timeout, SettingRange.LongestOfTimer));

        AlertTemplate.Check(Template);
    }
}
