namespace HaKit.Availability.Tests;

/// <summary>Simulates equal units that fail and are repaired independently, event by event.</summary>
internal static class Simulation
{
    /// <summary>Whole renewal cycles, each from all units up to all units up again, and the estimate from them.</summary>
    public static (AvailabilityRatio Estimate, double StandardError) KofN(int required, int units, double mttf, double mttr, int cycles, int seed)
    {
        var random = new Random(seed);
        var list = new (double, double)[cycles];
        for (var c = 0; c < cycles; c++)
        {
            double up = 0, down = 0;
            var failed = 0;
            do
            {
                var (failing, repairing) = ((units - failed) / mttf, failed / mttr);
                var span = -Math.Log(1 - random.NextDouble()) / (failing + repairing);
                if (units - failed >= required)
                    up += span;
                else
                    down += span;
                failed += random.NextDouble() * (failing + repairing) < failing ? 1 : -1;
            }
            while (failed > 0);
            list[c] = (up, down);
        }

        return Estimate.Renewal(list);
    }
}
