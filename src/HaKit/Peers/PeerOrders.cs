namespace HaKit.Peers;

/// <summary>
/// Signs the orders of this replica's operators, checks the orders of other replicas, and finds the orders that have not been executed yet. Guarded by its owner's
/// lock.
/// </summary>
internal sealed class PeerOrders(IPeerPool pool, PeerBook book, OwnFacts own, PeerMembers members, string replica, OrderSignature? signature)
{
    private static readonly TimeSpan OrdersLast = TimeSpan.FromDays(90);

    // The version of the order for the tiers that was executed. 0: none.
    private long _tierVersion;

    /// <summary>Gets whether orders are shared: the application has given a key for them, and sharing is on.</summary>
    public bool AreShared => signature is not null && pool.Sharing.Orders;

    /// <summary>Checks the signature of an order. Needs no lock.</summary>
    public bool IsValid(PeerFact fact) => signature!.IsValid(fact);

    /// <summary>Adds an order of this replica's operator to the next message.</summary>
    public void AddOwn(PoolOrder order, string? endpoint, int? tier, OrderNote note, DateTimeOffset givenAt, TimeSpan now)
    {
        var fact = new PeerFact
        {
            Kind = PeerFactKind.Order,
            Subject = endpoint ?? "",
            Replica = replica,
            Version = book.HighestVersion(endpoint ?? "") + 1,
            Length = OrdersLast,
            Left = OrdersLast,
            Order = new SignedOrder(order, tier, note.By, note.Reason, givenAt, ""),
        };
        fact = fact with { Order = fact.Order with { Signature = signature!.Sign(fact) } };
        book.TryAddOrder(fact, now, out _);
        MarkExecuted(fact);
        own.Add(fact, now + OrdersLast, now);
    }

    /// <summary>
    /// Receives an order with a valid signature. True if the order is in force from now on, and is to be executed; <paramref name="before"/> is the order that
    /// was in force until now.
    /// </summary>
    /// <param name="fact">The order.</param>
    /// <param name="isMessage">Whether a replica has just sent the order. False: it was read from the store, which keeps overruled orders too.</param>
    /// <param name="now">The time.</param>
    /// <param name="before">The order that was in force until now.</param>
    public bool TryReceive(PeerFact fact, bool isMessage, TimeSpan now, out PeerFact? before)
    {
        if (book.TryAddOrder(fact, now, out before))
        {
            own.Hold(fact, now + fact.Left, now);
            MarkExecuted(fact);
            return true;
        }
        // The replica that sent this order has not received the later order, so the later order is published again.
        if (isMessage && before is not null && PeerFactFormat.Identity(before) != PeerFactFormat.Identity(fact) && book.OrderFor(fact.Subject, now) is { } held)
            own.Add(held.Fact, held.Until, now);
        return false;
    }

    /// <summary>Records that an order could not be executed, because its tier has no endpoint yet. The order stays due.</summary>
    public void MarkNotExecuted(PeerFact fact)
    {
        if (fact.Subject.Length == 0 && _tierVersion == fact.Version)
            _tierVersion = 0;
    }

    /// <summary>
    /// Returns the orders that have not been executed, for example orders that arrived before their endpoint or the first endpoint of their tier was added. Marks
    /// them as executed.
    /// </summary>
    public List<PeerFact> TakeDue(List<PeerMember> endpoints, TimeSpan now)
    {
        var orders = new List<PeerFact>();
        if (book.OrderFor("", now) is { } ofTier && ofTier.Fact.Version > _tierVersion)
        {
            _tierVersion = ofTier.Fact.Version;
            orders.Add(ofTier.Fact);
        }
        foreach (var member in endpoints)
        {
            if (book.OrderFor(member.State.Endpoint.Name, now) is { } held && held.Fact.Version > member.OrderVersion)
            {
                member.OrderVersion = held.Fact.Version;
                orders.Add(held.Fact);
            }
        }
        return orders;
    }

    // An order about an endpoint that the pool does not have yet stays due.
    private void MarkExecuted(PeerFact fact)
    {
        if (fact.Subject.Length == 0)
            _tierVersion = fact.Version;
        else if (Array.Find(pool.Members, m => m.Endpoint.Name == fact.Subject) is { } state)
            members.Get(state).OrderVersion = fact.Version;
    }
}
