using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>Selects an endpoint in a replay, by the rules of <see cref="Selector"/> for the first attempt of a call with a default profile. For use on one thread.</summary>
internal sealed class ReplayedChoice
{
    private readonly SelectionPolicy _policy;
    private readonly uint _tokens;
    private readonly Tier[] _tiers;
    private readonly double _capacity;

    public ReplayedChoice(SelectionPolicy policy, IReadOnlyList<ReplayedMember> members, uint tokens)
    {
        (_policy, _tokens) = (policy, tokens);
        _tiers = [.. members.GroupBy(static m => m.Tier).OrderBy(static t => t.Key).Select(t => new Tier([.. t], policy))];
        _capacity = Math.Min(1, _tiers.Sum(static t => t.Capacity));
    }

    /// <summary>Returns an endpoint with free capacity; null when there is none.</summary>
    public ReplayedMember? Choose(ref Dice dice)
    {
        var first = FirstTier(ref dice);
        var chosen = Pick(_tiers[first], ref dice);
        for (var next = 0; chosen is null && next < _tiers.Length; next++)
        {
            if (next != first)
                chosen = Pick(_tiers[next], ref dice);
        }
        return chosen;
    }

    private int FirstTier(ref Dice dice)
    {
        if (_tiers.Length == 1 || _policy.StrictTiers || _tiers[0].Capacity >= 1)
            return 0;
        var draw = dice.NextDouble() * _capacity;
        for (var i = 0; i < _tiers.Length; i++)
        {
            if ((draw -= _tiers[i].Capacity) < 0)
                return i;
        }
        return 0;
    }

    private ReplayedMember? Pick(Tier tier, ref Dice dice)
    {
        if (tier.Serving.Length == 0)
            return null;
        return _policy.Order switch
        {
            VisitOrder.Sample => Sampled(tier, ref dice),
            VisitOrder.All => Least(tier, tier.Draw(ref dice), ref dice),
            VisitOrder.Listed => InTurn(tier, 0),
            VisitOrder.RoundRobin => InTurn(tier, tier.Turn++ % tier.Serving.Length),
            _ => InTurn(tier, tier.Draw(ref dice)),
        };
    }

    private ReplayedMember? Sampled(Tier tier, ref Dice dice)
    {
        var wanted = _policy.Sample;
        ReplayedMember? best = null;
        int last = -1;
        var least = double.PositiveInfinity;
        for (var tries = 2 * wanted + 4; tries > 0 && wanted > 0; tries--)
        {
            var drawn = last < 0 || tier.Serving.Length == 1 ? tier.Draw(ref dice) : tier.DrawOther(last, ref dice);
            var member = tier.Serving[drawn];
            if (!member.HasRoom(_tokens))
                continue;
            last = drawn;
            wanted--;
            if (member.Score(_policy, ref dice) is var score && score < least)
                (least, best) = (score, member);
            if (tier.Serving.Length == 1)
                break;
        }
        return best ?? Least(tier, dice.Next(tier.Serving.Length), ref dice);
    }

    private ReplayedMember? Least(Tier tier, int start, ref Dice dice)
    {
        ReplayedMember? best = null;
        var least = double.PositiveInfinity;
        for (var i = 0; i < tier.Serving.Length; i++)
        {
            var member = tier.Serving[(start + i) % tier.Serving.Length];
            if (member.HasRoom(_tokens) && member.Score(_policy, ref dice) is var score && score < least)
                (least, best) = (score, member);
        }
        return best;
    }

    private ReplayedMember? InTurn(Tier tier, int start)
    {
        for (var i = 0; i < tier.Serving.Length; i++)
        {
            if (tier.Serving[(start + i) % tier.Serving.Length] is var member && member.HasRoom(_tokens))
                return member;
        }
        return null;
    }

    private sealed class Tier
    {
        private readonly double _weight;
        private readonly bool _areEqual;

        public Tier(ReplayedMember[] members, SelectionPolicy policy)
        {
            Serving = [.. members.Where(static m => m.Serves)];
            _weight = Serving.Sum(static m => m.Weight);
            _areEqual = Array.TrueForAll(Serving, m => m.Weight == Serving[0].Weight);
            Capacity = Math.Min(1, policy.OverProvisioning * _weight / members.Sum(static m => m.Weight));
        }

        public ReplayedMember[] Serving { get; }

        /// <summary>Gets the part of its share of the traffic that the endpoint can take, as in <see cref="SelectionTier.Capacity"/>.</summary>
        public double Capacity { get; }

        public int Turn { get; set; }

        public int Draw(ref Dice dice)
        {
            if (_areEqual)
                return dice.Next(Serving.Length);
            var draw = dice.NextDouble() * _weight;
            for (var i = 0; i < Serving.Length - 1; i++)
            {
                if ((draw -= Serving[i].Weight) < 0)
                    return i;
            }
            return Serving.Length - 1;
        }

        public int DrawOther(int first, ref Dice dice)
        {
            for (var tries = _areEqual ? 0 : 8; tries > 0; tries--)
            {
                if (Draw(ref dice) is var drawn && drawn != first)
                    return drawn;
            }
            var other = dice.Next(Serving.Length - 1);
            return other < first ? other : other + 1;
        }
    }
}
