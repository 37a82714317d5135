namespace HaKit.Alerts;

/// <summary>Sets which receivers get alerts, and how often. Not thread-safe; read when the application starts.</summary>
public sealed class AlertOptions
{
    internal List<Func<AlertMessage, CancellationToken, ValueTask>> Sinks { get; } = [];

    /// <summary>How long alerts are gathered before they are sent: what ends within it is told once, as ended. Default 2 s; at least 0.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After the beginning of an alert was told, the same one is not told again within this time; if it is still on at the end, it is. Default 5 min; at least 0.</summary>
    public TimeSpan Quiet { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>More notices than these at once become one digest. Default 5; at least 1.</summary>
    public int DigestAbove { get; set; } = 5;

    /// <summary>
    /// How often to look whether each pool could bear the loss of each of its failure domains (<see cref="EndpointPoolExtensions.GetRedundancy"/>). Default 30 s; null never; more
    /// than 0. A domain that holds the whole pool is not looked at: no health and no load could make its loss bearable.
    /// </summary>
    public TimeSpan? RedundancyInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The share of calls that may wait or fail after a loss before the redundancy counts as lost. Default 0.05; 0 to 1.</summary>
    public double RedundancyLostShare { get; set; } = 0.05;

    /// <summary>Tells your own code, one message after another. What it throws is logged, and the message is not sent again.</summary>
    /// <param name="receive">Receives a message; on a timer's thread.</param>
    public AlertOptions Add(Func<AlertMessage, CancellationToken, ValueTask> receive)
    {
        ArgumentNullException.ThrowIfNull(receive);
        Sinks.Add(receive);
        return this;
    }

    /// <summary>Posts JSON to an address.</summary>
    /// <param name="address">Absolute, http or https; may hold a secret, and is never printed.</param>
    /// <param name="configure">What is posted, and how often it is tried.</param>
    /// <exception cref="ArgumentException">The address, or an option, makes no sense.</exception>
    public AlertOptions AddWebhook(Uri address, Action<WebhookAlertOptions>? configure = null)
    {
        var options = new WebhookAlertOptions();
        configure?.Invoke(options);
        var webhook = new WebhookAlert(address, options);
        Webhooks.Add(webhook);
        return Add(webhook.SendAsync);
    }

    internal List<WebhookAlert> Webhooks { get; } = [];

    internal IEnumerable<string> Validate()
    {
        if (Window < TimeSpan.Zero)
            yield return $"Alerts: Window is {Window}: at least 0 is needed.";
        if (Quiet < TimeSpan.Zero)
            yield return $"Alerts: Quiet is {Quiet}: at least 0 is needed.";
        if (DigestAbove < 1)
            yield return $"Alerts: DigestAbove is {DigestAbove}: at least 1 is needed.";
        if (RedundancyInterval <= TimeSpan.Zero)
            yield return $"Alerts: RedundancyInterval is {RedundancyInterval}: more than 0 is needed, or nothing.";
        if (!(RedundancyLostShare is >= 0 and <= 1))
            yield return FormattableString.Invariant($"Alerts: RedundancyLostShare is {RedundancyLostShare}: 0 to 1 is needed.");
        if (Sinks.Count == 0)
            yield return "Alerts: no receiver is configured; add a webhook or a function.";
    }
}

/// <summary>What is posted to a webhook, and how often it is tried. Not thread-safe; read when it is added.</summary>
public sealed class WebhookAlertOptions
{
    /// <summary>
    /// The JSON that is posted, with <c>{{text}}</c>, <c>{{status}}</c> (firing or resolved), <c>{{kind}}</c>, <c>{{pool}}</c>, <c>{{endpoint}}</c>,
    /// <c>{{detail}}</c>, <c>{{key}}</c>, <c>{{since}}</c>, <c>{{at}}</c> and <c>{{count}}</c> in its strings replaced. Of a digest, all but text, at and count are those of the first.
    /// Default: an object with all of them; for Slack and its like <c>{"text":"{{text}}"}</c>.
    /// </summary>
    public string Template { get; set; } = AlertTemplate.Default;

    /// <summary>Headers of the request, credentials among them; never printed. Default none.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How often one message is tried. Default 6; at least 1.</summary>
    public int MaxAttempts { get; set; } = 6;

    /// <summary>The wait after the first failure; it doubles to <see cref="MaxDelay"/>. Default 1 s; more than 0.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between two tries, and the most of a <c>Retry-After</c> that is heeded. Default 60 s; not shorter than <see cref="Delay"/>.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time for one answer. Default 10 s; more than 0.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Sends the requests; not disposed of. Default null: connections of its own.</summary>
    public HttpMessageInvoker? Http { get; set; }

    internal void Validate()
    {
        if (MaxAttempts < 1 || Delay <= TimeSpan.Zero || MaxDelay < Delay || Timeout <= TimeSpan.Zero)
        {
            throw new ArgumentException(
                $"MaxAttempts {MaxAttempts}, Delay {Delay}, MaxDelay {MaxDelay}, Timeout {Timeout}: at least 1, more than 0, not shorter than Delay, and more than 0 are needed.");
        }

        AlertTemplate.Check(Template);
    }
}
