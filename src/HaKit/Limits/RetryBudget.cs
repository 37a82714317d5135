namespace HaKit.Limits;

/// <summary>
/// Holds the shared budget of a pool's retries and hedges. Successes add to the budget, retries and hedges take from it, and retries that are served are
/// refunded. Thread-safe and lock-free.
/// </summary>
/// <remarks>
/// One word holds two balances in millionths: the budget in the upper half, and the allowance of hedges in the lower half. So a hedge takes from both balances
/// or from neither. Each call adds to the allowance of hedges, which starts at zero. So over any period from the beginning, hedges are at most their share of
/// the calls. The allowance has a cap too, so that a long quiet time does not allow many hedges at once.
/// </remarks>
internal sealed class RetryBudget
{
    private const double Unit = 1e6;

    private readonly uint _cap;
    private readonly uint _perSuccess;
    private readonly uint _perCall;
    private readonly uint _cost;
    private ulong _accounts;

    public RetryBudget(RetryBudgetOptions options)
    {
        _cap = Units(options.Cap);
        _perSuccess = Units(options.PerSuccess);
        _perCall = Units(options.HedgesPerCall);
        _cost = Units(options.Cost);
        _accounts = Pack(_cap, 0);
    }

    /// <summary>Gets the balance of the budget, from 0 to the cap.</summary>
    public double Level => Savings(Volatile.Read(ref _accounts)) / Unit;

    /// <summary>Records that a call began (not an attempt of a call).</summary>
    public void RecordCall() => Deposit(0, _perCall);

    /// <summary>Records that a call succeeded.</summary>
    public void RecordSuccess() => Deposit(_perSuccess, 0);

    /// <summary>Takes the amount for a retry from the budget. False if the balance is too small.</summary>
    public bool TryRetry() => TryPay(_cost, 0);

    /// <summary>Refunds a retry that was served or never made, because the budget limits only unsuccessful work.</summary>
    public void Refund() => Deposit(_cost, 0);

    /// <summary>Takes the amount for a hedge from the budget. False if the balance is too small, or if hedges have reached their share of the calls.</summary>
    public bool TryHedge() => TryPay(_cost, Units(1));

    /// <summary>Refunds a hedge that was never made.</summary>
    public void RefundHedge() => Deposit(_cost, Units(1));

    /// <summary>Checks whether <see cref="TryRetry"/> would succeed.</summary>
    public bool CanRetry => Savings(Volatile.Read(ref _accounts)) >= _cost;

    /// <summary>Gets whether the cap is lower than the amount for one retry. Then the pool makes no retries except the trials of an outage.</summary>
    public bool IsWithoutSavings => _cap < _cost;

    private void Deposit(uint savings, uint hedges)
    {
        while (true)
        {
            var accounts = Volatile.Read(ref _accounts);
            var next = Pack(
                Math.Min(_cap, Savings(accounts) + savings),
                Math.Min(Math.Max(_cap, Units(1)), Hedges(accounts) + hedges));
            if (next == accounts || Interlocked.CompareExchange(ref _accounts, next, accounts) == accounts)
                return;
        }
    }

    private bool TryPay(uint savings, uint hedges)
    {
        while (true)
        {
            var accounts = Volatile.Read(ref _accounts);
            if (Savings(accounts) < savings || Hedges(accounts) < hedges)
                return false;
            if (Interlocked.CompareExchange(ref _accounts, accounts - Pack(savings, hedges), accounts) == accounts)
                return true;
        }
    }

    private static uint Units(double value) => (uint)Math.Round(value * Unit);

    private static ulong Pack(uint savings, uint hedges) => (ulong)savings << 32 | hedges;

    private static uint Savings(ulong accounts) => (uint)(accounts >> 32);

    private static uint Hedges(ulong accounts) => (uint)accounts;
}
