namespace HaKit.Testing;

/// <summary>
/// The faults that a fake injects, and when: rules that can be added and removed while requests run. All rules that apply
/// to a request are combined (<see cref="FakeFault.And"/>), in the order in which they were added.
/// </summary>
/// <remarks>
/// Thread-safe. Random choices use one seeded source, so the same requests in the same order get the same faults.
/// </remarks>
public sealed class FaultScript
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Random _random;
    private volatile Entry[] _entries = [];

    /// <summary>Creates an empty script.</summary>
    /// <param name="time">The clock of <see cref="FaultRule.From"/> and <see cref="FaultRule.Until"/>. Default: the system clock.</param>
    /// <param name="seed">The seed of <see cref="FaultRule.Probability"/>. Default 0.</param>
    public FaultScript(TimeProvider? time = null, int seed = 0)
    {
        _time = time ?? TimeProvider.System;
        _random = new Random(seed);
    }

    /// <summary>Adds a rule.</summary>
    /// <param name="rule">The rule to add.</param>
    /// <returns>A handle: disposing it removes the rule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rule's probability is not between 0 and 1, its count is negative, or it ends before it starts.</exception>
    public IDisposable Add(FaultRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        if (!(rule.Probability is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(rule), rule.Probability, "Probability must be between 0 and 1.");
        if (rule.Count < 0)
            throw new ArgumentOutOfRangeException(nameof(rule), rule.Count, "Count must not be negative.");
        if (rule.Until < rule.From)
            throw new ArgumentOutOfRangeException(nameof(rule), rule.Until, "Until must not be before From.");
        var entry = new Entry(this, rule, _time.GetTimestamp());
        lock (_lock)
            _entries = [.. _entries, entry];
        return entry;
    }

    /// <summary>Injects a fault into every request until the rule is removed.</summary>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="where">Selects the requests that get the fault; see <see cref="FaultRule.Where"/>.</param>
    /// <returns>A handle: disposing it removes the rule.</returns>
    public IDisposable Always(FakeFault fault, Func<FakeRequest, bool>? where = null) => Add(new(fault) { Where = where });

    /// <summary>Injects a fault into the next n requests, after the requests that earlier calls of this method count.</summary>
    /// <param name="count">The number of requests.</param>
    /// <param name="fault">The fault to inject. Use <see cref="FakeFault.None"/> to let some requests pass.</param>
    /// <param name="where">Selects the requests that get the fault; see <see cref="FaultRule.Where"/>.</param>
    /// <returns>A handle: disposing it removes the rule.</returns>
    public IDisposable Next(int count, FakeFault fault, Func<FakeRequest, bool>? where = null) => Add(new(fault) { Count = count, Where = where });

    /// <summary>Injects one fault into each of the next requests, in this order, after the requests that earlier calls count.</summary>
    /// <param name="faults">The faults to inject. Use <see cref="FakeFault.None"/> to let one request pass.</param>
    public void InOrder(params ReadOnlySpan<FakeFault> faults)
    {
        foreach (var fault in faults)
            Next(1, fault);
    }

    /// <summary>Injects a fault with a probability.</summary>
    /// <param name="probability">The probability for each request, 0 to 1.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="where">Selects the requests that get the fault; see <see cref="FaultRule.Where"/>.</param>
    /// <returns>A handle: disposing it removes the rule.</returns>
    public IDisposable WithProbability(double probability, FakeFault fault, Func<FakeRequest, bool>? where = null) =>
        Add(new(fault) { Probability = probability, Where = where });

    /// <summary>Injects a fault into requests that begin within a period, counted from now.</summary>
    /// <param name="from">The start of the period.</param>
    /// <param name="until">The end of the period, exclusive.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="where">Selects the requests that get the fault; see <see cref="FaultRule.Where"/>.</param>
    /// <returns>A handle: disposing it removes the rule.</returns>
    public IDisposable During(TimeSpan from, TimeSpan until, FakeFault fault, Func<FakeRequest, bool>? where = null) =>
        Add(new(fault) { From = from, Until = until, Where = where });

    /// <summary>Removes every rule.</summary>
    public void Clear()
    {
        lock (_lock)
            _entries = [];
    }

    /// <summary>Returns the fault for a request. Each call uses up the counts of the rules that apply.</summary>
    /// <param name="request">The request.</param>
    public FakeFault ChooseFault(FakeRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _entries.Length == 0 ? FakeFault.None : Combine(request);
    }

    private FakeFault Combine(FakeRequest request)
    {
        var now = _time.GetTimestamp();
        var result = FakeFault.None;
        lock (_lock)
        {
            Entry? queued = null;
            foreach (var entry in _entries)
            {
                if (queued is not null && entry.Rule.Count is not null)
                    continue;
                if (!entry.AppliesTo(request, _time.GetElapsedTime(entry.Added, now)))
                    continue;
                if (entry.Rule.Probability < 1 && _random.NextDouble() >= entry.Rule.Probability)
                    continue;
                if (entry.Rule.Count is not null)
                    queued = entry;
                result = result.And(entry.Rule.Fault);
            }

            if (queued is not null && --queued.Left <= 0)
                Lift(queued);
        }

        return result;
    }

    private void Lift(Entry entry)
    {
        lock (_lock)
            _entries = [.. _entries.Where(e => e != entry)];
    }

    private sealed class Entry(FaultScript script, FaultRule rule, long added) : IDisposable
    {
        public FaultRule Rule => rule;

        public long Added => added;

        public int? Left { get; set; } = rule.Count;

        public bool AppliesTo(FakeRequest request, TimeSpan age) =>
            Left is not 0 && age >= rule.From && age < rule.Until && (rule.Where?.Invoke(request) ?? !request.IsProbe);

        public void Dispose() => script.Lift(this);
    }
}
