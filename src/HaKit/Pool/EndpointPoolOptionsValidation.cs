using HaKit.Attempts;
using HaKit.Failover;

namespace HaKit.Pool;

/// <summary>
/// Checks a pool's options, by subject: missing groups, the endpoints, times compared with the deadline, attempts, streams, and limits of accounts. A group of
/// options that is independent of the other groups checks its own values (<see cref="CheckGroups"/>).
/// </summary>
internal readonly struct EndpointPoolOptionsValidation
{
    private readonly string _path;
    private readonly EndpointPoolOptions _options;
    private readonly List<string> _wrong;

    private EndpointPoolOptionsValidation(string pool, EndpointPoolOptions options) => (_path, _options, _wrong) = ($"Pool '{pool}'", options, []);

    public static IReadOnlyList<string> Validate(string pool, EndpointPoolOptions options)
    {
        var validation = new EndpointPoolOptionsValidation(pool, options);
        if (string.IsNullOrWhiteSpace(pool))
            validation._wrong.Add($"The pool's name is '{pool}': a pool needs a name.");
        if (!validation.HasAllGroups())
            return validation._wrong; // the other checks would read missing values
        validation.CheckEndpoints();
        validation.CheckTimes();
        validation.CheckAttempts();
        validation.CheckStreams();
        validation.CheckGroups();
        validation.CheckLimits();
        return validation._wrong;
    }

    private bool HasAllGroups()
    {
        (string Name, object? Group)[] groups =
        [
            ("Endpoints", _options.Endpoints), ("AccountLimits", _options.AccountLimits), ("TotalRequestTimeout", _options.TotalRequestTimeout),
            ("FirstContent", _options.FirstContent), ("Selection", _options.Selection), ("Scale", _options.Scale), ("Retry", _options.Retry),
            ("Streaming", _options.Streaming), ("Http", _options.Http), ("Hedging", _options.Hedging), ("RetryBudget", _options.RetryBudget),
            ("CircuitBreaker", _options.CircuitBreaker), ("Heartbeat", _options.Heartbeat), ("Recovery", _options.Recovery), ("Sharing", _options.Sharing),
        ];
        var before = _wrong.Count;
        foreach (var (name, group) in groups)
        {
            if (group is null)
                _wrong.Add($"{_path}: {name} is null: leave it at its default instead.");
        }

        if (_options.Endpoints?.Contains(null!) == true)
            _wrong.Add($"{_path}: Endpoints has an endpoint that is null. Remove it, or add an endpoint with a Name and an Address.");
        if (_options.AccountLimits?.Values.Contains(null!) == true)
            _wrong.Add($"{_path}: AccountLimits has limits that are null. Remove the account, or give it limits.");
        return _wrong.Count == before;
    }

    private void CheckEndpoints()
    {
        var endpoints = _options.Endpoints;
        if (endpoints.Count == 0 && !_options.AllowEmpty)
            _wrong.Add($"{_path}: Endpoints is empty: a pool needs at least one endpoint. Add one with a Name and an Address, or set AllowEmpty if code or service discovery adds them.");
        for (var i = 0; i < endpoints.Count; i++)
            _wrong.AddRange(endpoints[i].Validate($"{_path}: Endpoints:{i}"));
        foreach (var same in endpoints.Where(e => !string.IsNullOrWhiteSpace(e.Name)).GroupBy(e => e.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            _wrong.Add($"{_path}: Endpoints has {same.Count()} endpoints of the name '{ShownText.OfLabel(same.Key)}': each needs a name of its own.");
        foreach (var alike in endpoints.Select(e => e.Name).Distinct(StringComparer.Ordinal).GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1 && !string.IsNullOrWhiteSpace(g.Key)))
            _wrong.Add($"{_path}: Endpoints has '{string.Join("' and '", alike.Select(ShownText.OfLabel))}', which differ only in capital letters: logs and pages would confuse them. Give each endpoint a name of its own.");
        if (_options.Origin is { } origin && EndpointAddress.FindMistake(origin) is { } mistake)
            _wrong.Add($"{_path}: Origin {mistake}");
    }

    private void CheckTimes()
    {
        RequirePositive("TotalRequestTimeout:Timeout", _options.TotalRequestTimeout.Timeout);
        Add(SettingRange.FindAboveZero($"{_path}: ConnectTimeout", _options.ConnectTimeout, SettingRange.LongestOfTimer));
        if (_options.AttemptTimeout is { Timeout: var attempt })
        {
            RequirePositive("AttemptTimeout:Timeout", attempt);
            RequireWithinDeadline("AttemptTimeout:Timeout", attempt);
        }
        foreach (var endpoint in _options.Endpoints)
        {
            if (endpoint.AttemptTimeout is { Timeout: var own })
                RequireWithinDeadline($"AttemptTimeout:Timeout of endpoint '{ShownText.OfLabel(endpoint.Name)}'", own);
        }

        var first = _options.FirstContent;
        RequirePositive("FirstContent:Timeout", first.Timeout);
        RequirePositive("FirstContent:Minimum", first.Minimum);
        if (first.Minimum > first.Timeout)
            _wrong.Add($"{_path}: FirstContent:Minimum is {DurationText.OfSetting(first.Minimum)}, longer than FirstContent:Timeout, {DurationText.OfSetting(first.Timeout)}. Make Minimum shorter, or Timeout longer.");
        Add(SettingRange.Find($"{_path}: FirstContent:Multiplier", first.Multiplier, 1, FirstContentOptions.LargestMultiplier));
        Add(SettingRange.FindAboveZero($"{_path}: FirstContent:DeadlineShare", first.DeadlineShare, 1));
    }

    private void CheckAttempts()
    {
        var retry = _options.Retry;
        RequireRange("Retry:MaxRetryAttempts", retry.MaxRetryAttempts ?? 0, 0, 100);
        RequireRange("Retry:MaxAttemptsPerEndpoint", retry.MaxAttemptsPerEndpoint ?? 2, 1, 100);
        RequirePositive("Retry:Delay", retry.Delay);
        RequirePositive("Retry:MaxDelay", retry.MaxDelay);
        if (retry.MaxDelay > TimeSpan.Zero && retry.MaxDelay < retry.Delay)
            _wrong.Add($"{_path}: Retry:MaxDelay is {DurationText.OfSetting(retry.MaxDelay)}, shorter than Retry:Delay, {DurationText.OfSetting(retry.Delay)}. Make Delay shorter, or MaxDelay longer.");
        Add(SettingRange.Find($"{_path}: Retry:MinimumChance", retry.MinimumChance, 0, 1));
        if (_options.MaxWait is { } wait)
            Add(SettingRange.Find($"{_path}: MaxWait", wait));
        RequireRange("MaxWaitingCalls", _options.MaxWaitingCalls, 0, 1_000_000);
    }

    private void CheckStreams()
    {
        RequirePositive("Streaming:IdleTimeout", _options.Streaming.IdleTimeout);
        if (!Enum.IsDefined(_options.Streaming.HoldUntil) || !Enum.IsDefined(_options.Streaming.Continuation))
            _wrong.Add($"{_path}: Streaming:HoldUntil is {_options.Streaming.HoldUntil} and Streaming:Continuation is {_options.Streaming.Continuation}: each of them needs one of its named values.");
        RequireRange("Streaming:HoldBytes", _options.Streaming.HoldBytes, 1, int.MaxValue);
    }

    private void CheckGroups()
    {
        _wrong.AddRange(_options.CircuitBreaker.Validate($"{_path}: CircuitBreaker"));
        _wrong.AddRange(_options.Objective?.Validate($"{_path}: Objective") ?? []);
        _wrong.AddRange(_options.Hedging.Validate($"{_path}: Hedging"));
        _wrong.AddRange(_options.Http.Validate($"{_path}: Http"));
        _wrong.AddRange(_options.Heartbeat.Validate($"{_path}: Heartbeat"));
        _wrong.AddRange(_options.Recovery.Validate($"{_path}: Recovery"));
        _wrong.AddRange(_options.RetryBudget.Validate($"{_path}: RetryBudget"));
        _wrong.AddRange(_options.Selection.Validate($"{_path}: Selection"));
        _wrong.AddRange(_options.Scale.Validate($"{_path}: Scale"));
        _wrong.AddRange(_options.Sharing.Validate($"{_path}: Sharing"));
    }

    private void CheckLimits()
    {
        foreach (var (account, limits) in _options.AccountLimits)
        {
            _wrong.AddRange(limits.Validate($"{_path}: AccountLimits:{account}"));
            // Limits without an endpoint are no mistake if the endpoints of the account may come later, or may have been removed from the running pool.
            if (!_options.AllowEmpty && !_options.HasRemovedEndpoints && !_options.Endpoints.Any(e => e.Account == account))
                _wrong.Add($"{_path}: AccountLimits has limits for the account '{account}', which no endpoint has. {KnownAccounts()}");
        }
        foreach (var endpoint in _options.Endpoints)
        {
            if (endpoint.Limits is { } limits)
                _wrong.AddRange(limits.Validate($"{_path}: Limits of endpoint '{ShownText.OfLabel(endpoint.Name)}'"));
        }
    }

    private string KnownAccounts()
    {
        string[] known = [.. _options.Endpoints.Select(e => e.Account).OfType<string>().Where(a => ShownText.IsName(a)).Distinct(StringComparer.Ordinal)];
        return known.Length == 0 ? "Set Account of its endpoints." : $"The endpoints have '{string.Join("', '", known.Take(10))}': write the account in the same way, or set Account of its endpoints.";
    }

    private void RequirePositive(string setting, TimeSpan value) => Add(SettingRange.FindAboveZero($"{_path}: {setting}", value));

    private void RequireRange(string setting, int value, int least, int most) => Add(SettingRange.Find($"{_path}: {setting}", value, least, most));

    private void Add(string? mistake)
    {
        if (mistake is not null)
            _wrong.Add(mistake);
    }

    private void RequireWithinDeadline(string setting, TimeSpan value)
    {
        if (value > _options.TotalRequestTimeout.Timeout)
            _wrong.Add($"{_path}: {setting} is {DurationText.OfSetting(value)}, longer than the deadline, {DurationText.OfSetting(_options.TotalRequestTimeout.Timeout)}. Make it shorter than TotalRequestTimeout:Timeout.");
    }
}
