namespace HaKit.Limits;

/// <summary>
/// Holds the shared budget of a pool's retries and hedges: successes earn, retries and hedges pay, and retries that are served get their payment back.
/// Thread-safe and lock-free.
/// </summary>
/// <remarks>
/// One word holds both accounts in millionths: the savings in the upper half, and what hedges may still take in the lower half. So a hedge pays both or neither.
/// Calls earn the allowance of hedges, starting from zero: over any period from the beginning, hedges are at most their share of the calls. The allowance is
/// capped like the savings, so that a long quiet time does not allow a storm of hedges.
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

    /// <summary>Gets the savings, from 0 to the cap.</summary>
    public double Level => Savings(Volatile.Read(ref _accounts)) / Unit;

    /// <summary>Records that a call began (not an attempt of a call).</summary>
    public void Call() => Earn(0, _perCall);

    /// <summary>Records that a call succeeded.</summary>
    public void Success() => Earn(_perSuccess, 0);

    /// <summary>Pays for a retry, if the savings are enough.</summary>
    public bool TryRetry() => TryPay(_cost, 0);

    /// <summary>Returns the payment of a retry that was served or never made. The budget limits only unsuccessful work.</summary>
    public void GiveBack() => Earn(_cost, 0);

    /// <summary>Pays for a hedge, if the savings are enough and hedges are not above their share of the calls.</summary>
    public bool TryHedge() => TryPay(_cost, Units(1));

    /// <summary>Returns the payment of a hedge that was never made.</summary>
    public void GiveBackHedge() => Earn(_cost, Units(1));

    /// <summary>Checks whether <see cref="TryRetry"/> would succeed.</summary>
    public bool CanRetry => Savings(Volatile.Read(ref _accounts)) >= _cost;

    /// <summary>Gets whether the budget can never hold the price of one retry. Then nothing is repeated, except where an outage's pace allows it.</summary>
    public bool IsWithoutSavings => _cap < _cost;

    private void Earn(uint savings, uint hedges)
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
