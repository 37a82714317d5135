namespace HaKit.Availability.Tests;

/// <summary>Tests the repairable group against its chain, written down from the description of its states and solved by elimination.</summary>
public sealed class GroupReferenceTests
{
    [Theory]
    [InlineData(1, 1, null, 1, 1, null)]
    [InlineData(2, 1, null, 0.5, 0.9, null)]
    [InlineData(2, 1, 1, 0, 0.5, 3.0)]
    [InlineData(3, 1, 2, 1, 0.8, 0.5)]
    [InlineData(4, 2, 1, 0.5, 0.9, null)]
    [InlineData(4, 2, null, 1, 1, 2.0)]
    [InlineData(5, 2, 2, 0.25, 0, 7.0)]
    [InlineData(4, 4, 1, 0.5, 0.9, 2.0)]
    public void A_group_agrees_with_its_chain(int units, int required, int? crews, double dormancy, double coverage, double? recovery)
    {
        const double mttf = 10, mttr = 4;
        var group = new RepairableGroup
        {
            Units = units,
            Required = required,
            Crews = crews,
            Mttf = mttf,
            Mttr = mttr,
            Dormancy = dormancy,
            Coverage = coverage,
            UncoveredRecovery = recovery,
        };
        var spares = units - required;
        // States 0 … units by number of units down; then one state for each uncovered failure out of the states 0 … spares − 1.
        var n = units + 1 + spares;
        var rates = new double[n, n];
        var failures = new double[n];
        for (var down = 0; down <= units; down++)
        {
            var active = Math.Min(units - down, required);
            var waiting = units - down - active;
            var (detected, alone) = dormancy == 1 ? (active + waiting, 0.0) : (active, waiting * dormancy);
            var missed = down < spares ? detected * (1 - coverage) / mttf : 0;
            if (down < units)
                rates[down, down + 1] = (detected + alone) / mttf - missed;
            if (down > 0)
                rates[down, down - 1] = Math.Min(down, crews ?? units) / mttr;
            if (down < spares)
                (rates[down, units + 1 + down], rates[units + 1 + down, down + 1]) = (missed, 1 / (recovery ?? mttr));
            if (down <= spares)
                failures[down] = down < spares ? missed : active / mttf;
        }

        var p = LinearSystem.SteadyState(rates);
        var (up, frequency) = (0.0, 0.0);
        for (var i = 0; i <= spares; i++)
            (up, frequency) = (up + p[i], frequency + p[i] * failures[i]);
        group.Availability().Value.Should().BeApproximately(up, 1e-13);
        group.Availability().Unavailability.Should().BeApproximately(1 - up, 1e-13);
        var times = group.Times();
        times.FailureFrequency.Should().BeApproximately(frequency, 1e-13);
        times.MeanUpTime.Should().BeApproximately(up / frequency, 1e-10);
        times.MeanDownTime.Should().BeApproximately((1 - up) / frequency, 1e-10);

        // The first failure: only the states in which the group is up, with every failure of the group as their exit.
        var (system, right) = (new double[spares + 1, spares + 1], new double[spares + 1]);
        for (var i = 0; i <= spares; i++)
        {
            right[i] = 1;
            system[i, i] = failures[i];
            for (var j = 0; j <= spares; j++)
            {
                system[i, i] += rates[i, j];
                system[i, j] -= rates[i, j];
            }
        }

        group.MeanTimeToFirstFailure().Should().BeApproximately(LinearSystem.Solve(system, right)[0], 1e-9);
    }
}
