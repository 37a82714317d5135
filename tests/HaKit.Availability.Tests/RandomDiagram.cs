namespace HaKit.Availability.Tests;

/// <summary>
/// Builds a random diagram twice: as blocks, and as a function of the units that are up. The function is evaluated by another method: over every combination of
/// the units that occur more than once, in exact fractions.
/// </summary>
internal sealed class RandomDiagram
{
    private const int MostDepth = 4, MostUnits = 20, MostRepeated = 5;
    private readonly Random _random;
    private readonly List<(ReliabilityComponent Component, Unit Unit)> _units = [];
    private readonly List<Unit> _repeated = [];
    private int _named;

    private RandomDiagram(int seed) => _random = new Random(seed);

    public required ReliabilityBlock Block { get; init; }

    public required Node Exact { get; init; }

    public required IReadOnlyList<Unit> Repeated { get; init; }

    public static RandomDiagram Create(int seed)
    {
        var builder = new RandomDiagram(seed) { Block = null!, Exact = null!, Repeated = [] };
        var (block, node) = builder.Grow(MostDepth);
        return new RandomDiagram(seed) { Block = block, Exact = node, Repeated = builder._repeated };
    }

    public Rational Unavailability() => Decide(0);

    private Rational Decide(int next)
    {
        if (next == Repeated.Count)
            return Exact.Down();
        var unit = Repeated[next];
        var own = unit.U;
        unit.U = Rational.Zero;
        var with = Decide(next + 1);
        unit.U = Rational.One;
        var without = Decide(next + 1);
        unit.U = own;
        return (Rational.One - own) * with + own * without;
    }

    private (ReliabilityBlock, Node) Grow(int depth)
    {
        if (depth == 0 || _named >= MostUnits || (depth < MostDepth && _random.NextDouble() < 0.2))
            return Leaf();
        var kind = _random.Next(_repeated.Count < MostRepeated ? 5 : 4);
        if (kind == 4)
            return CommonCause();
        var parts = Enumerable.Range(0, _random.Next(1, 6)).Select(_ => Grow(depth - 1)).ToArray();
        ReliabilityBlock[] blocks = [.. parts.Select(part => part.Item1)];
        Node[] nodes = [.. parts.Select(part => part.Item2)];
        var required = _random.Next(1, parts.Length + 1);
        var switching = Math.Pow(10, -3 * _random.NextDouble());
        return kind switch
        {
            0 => (ReliabilityBlock.Series(blocks), new KofN(parts.Length, nodes)),
            1 => (ReliabilityBlock.Parallel(blocks), new KofN(1, nodes)),
            2 => (ReliabilityBlock.KofN(required, blocks), new KofN(required, nodes)),
            _ => (ReliabilityBlock.Standby(AvailabilityRatio.FromUnavailability(switching), blocks), new Standby(Rational.Of(switching), nodes)),
        };
    }

    private (ReliabilityBlock, Node) Leaf()
    {
        if (_units.Count > 0 && _repeated.Count < MostRepeated && _random.NextDouble() < 0.15)
        {
            var (component, unit) = _units[_random.Next(_units.Count)];
            if (!_repeated.Contains(unit))
                _repeated.Add(unit);
            return (component, unit);
        }

        var fresh = Fresh();
        _units.Add(fresh);
        return fresh;
    }

    private (ReliabilityComponent Component, Unit Unit) Fresh()
    {
        var u = Math.Pow(10, -9 * _random.NextDouble());
        return (ReliabilityBlock.Component($"unit {_named++}", AvailabilityRatio.FromUnavailability(u)), new Unit(Rational.Of(u)));
    }

    private (ReliabilityBlock, Node) CommonCause()
    {
        var units = Enumerable.Range(0, _random.Next(2, 5)).Select(_ => Fresh()).ToArray();
        var beta = _random.NextDouble();
        var blocks = ReliabilityBlock.WithCommonCause(beta, [.. units.Select(unit => unit.Component)]);
        var least = units.Select(unit => unit.Unit.U).MinBy(u => u.ToDouble());
        var cause = new Unit(Rational.Of(beta) * least);
        _repeated.Add(cause);
        Node[] nodes = [.. units.Select(unit => new KofN(2, [cause, new Unit((unit.Unit.U - cause.U) / (Rational.One - cause.U))]))];
        var required = _random.Next(1, units.Length + 1);
        return (ReliabilityBlock.KofN(required, blocks), new KofN(required, nodes));
    }

    internal abstract class Node
    {
        public abstract Rational Down();
    }

    internal sealed class Unit(Rational u) : Node
    {
        public Rational U { get; set; } = u;

        public override Rational Down() => U;
    }

    /// <summary>Counts through every subset, without recursion.</summary>
    private sealed class KofN(int required, Node[] parts) : Node
    {
        public override Rational Down()
        {
            var down = parts.Select(part => part.Down()).ToArray();
            var sum = Rational.Zero;
            for (var up = 0; up < 1 << parts.Length; up++)
            {
                if (int.PopCount(up) >= required)
                    continue;
                var probability = Rational.One;
                for (var i = 0; i < parts.Length; i++)
                    probability *= (up >> i & 1) == 1 ? Rational.One - down[i] : down[i];
                sum += probability;
            }

            return sum;
        }
    }

    private sealed class Standby(Rational switchFails, Node[] parts) : Node
    {
        public override Rational Down()
        {
            var rest = parts[^1].Down();
            for (var i = parts.Length - 2; i >= 0; i--)
                rest = parts[i].Down() * (switchFails + (Rational.One - switchFails) * rest);
            return rest;
        }
    }
}
