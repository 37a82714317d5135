using FsCheck;
using FsCheck.Fluent;
using static HaKit.Availability.ReliabilityBlock;

namespace HaKit.Availability.Tests;

/// <summary>Tests laws that hold for all numbers.</summary>
public sealed class PropertyTests
{
    // Availabilities from nine nines to nearly never up, and sometimes exactly always up or never up. Each is encoded as an integer, because FsCheck shrinks integers
    // well.
    private static readonly Arbitrary<int[]> Units = Arb.From(
        Gen.Choose(0, 1000).NonEmptyListOf().Select(list => list.Take(8).ToArray()),
        array => array.Length > 1 ? [array[1..], array[..^1]] : []);

    [Fact]
    public void Series_and_parallel_are_each_others_mirror() => ForAll(units =>
        Close(Mirror(AvailabilityRatio.Series(units)), AvailabilityRatio.Parallel([.. units.Select(Mirror)])));

    [Fact]
    public void K_of_n_is_mirrored_by_n_minus_k_plus_one_of_n() => ForAll(units => Enumerable.Range(1, units.Length).All(k =>
        Close(Mirror(AvailabilityRatio.KofN(k, units)), AvailabilityRatio.KofN(units.Length - k + 1, [.. units.Select(Mirror)]))));

    [Fact]
    public void K_of_n_runs_from_parallel_to_series_and_falls_with_k() => ForAll(units =>
        Close(AvailabilityRatio.KofN(1, units), AvailabilityRatio.Parallel(units))
        && Close(AvailabilityRatio.KofN(units.Length, units), AvailabilityRatio.Series(units))
        && Enumerable.Range(1, units.Length - 1).All(k => AvailabilityRatio.KofN(k, units).Value >= AvailabilityRatio.KofN(k + 1, units).Value * (1 - 1e-14)));

    [Fact]
    public void Order_does_not_matter() => ForAll(units => Enumerable.Range(1, units.Length).All(k =>
        Close(AvailabilityRatio.KofN(k, units), AvailabilityRatio.KofN(k, [.. units.Reverse()])))
        && Close(AvailabilityRatio.Series(units), AvailabilityRatio.Series([.. units.Reverse()])));

    [Fact]
    public void A_better_part_never_makes_the_whole_worse() => ForAll(units =>
    {
        AvailabilityRatio[] better = [AvailabilityRatio.Parallel(units[0], AvailabilityRatio.From(0.5m)), .. units[1..]];
        return Enumerable.Range(1, units.Length).All(k =>
            AvailabilityRatio.KofN(k, better).Unavailability <= AvailabilityRatio.KofN(k, units).Unavailability * (1 + 1e-14));
    });

    [Fact]
    public void Both_parts_always_add_up_to_one() => ForAll(units => Enumerable.Range(1, units.Length).All(k =>
        AvailabilityRatio.KofN(k, units) is var whole && Math.Abs(whole.Value + whole.Unavailability - 1) < 1e-14 && whole.Value <= 1 && whole.Unavailability <= 1));

    [Fact]
    public void A_part_that_never_fails_or_never_works_is_neutral_or_decides() => ForAll(units =>
        Close(AvailabilityRatio.Series([.. units, AvailabilityRatio.Always]), AvailabilityRatio.Series(units))
        && Close(AvailabilityRatio.Parallel([.. units, AvailabilityRatio.Never]), AvailabilityRatio.Parallel(units))
        && AvailabilityRatio.Series([.. units, AvailabilityRatio.Never]).Value == 0
        && AvailabilityRatio.Parallel([.. units, AvailabilityRatio.Always]).Unavailability == 0);

    [Fact]
    public void Many_equal_units_agree_with_the_incomplete_beta_function() => ForAll(units => Enumerable.Range(1, 30).All(k =>
        Close(AvailabilityRatio.KofN(k, [.. Enumerable.Repeat(units[0], 30)]), Capacity.AtLeast(k, 30, units[0]), 1e-11)));

    [Fact]
    public void A_common_cause_keeps_each_unit_and_lies_between_independence_and_one_unit() => ForAll(units =>
    {
        var components = units.Select((unit, i) => Component($"{i}", unit)).ToArray();
        var (none, some, all) = (WithCommonCause(0, components), WithCommonCause(0.3, components), WithCommonCause(1, components));
        return some.Zip(units).All(pair => Close(pair.First.Availability, pair.Second))
            && Close(Parallel(none).Availability, AvailabilityRatio.Parallel(units))
            && Parallel(some).Availability.Unavailability >= AvailabilityRatio.Parallel(units).Unavailability * (1 - 1e-14)
            && Close(Parallel(all).Availability, units.Max(), 1e-13);
    });

    [Fact]
    public void Standby_with_a_perfect_switch_is_parallel_and_with_none_the_first_part() => ForAll(units =>
    {
        ReliabilityBlock[] parts = [.. units.Select((unit, i) => Component($"{i}", unit))];
        return Close(Standby(AvailabilityRatio.Always, parts).Availability, AvailabilityRatio.Parallel(units))
            && (parts.Length == 1 || Close(Standby(AvailabilityRatio.Never, parts).Availability, units[0]));
    });

    [Fact]
    public void Importance_is_the_slope_of_the_whole_by_the_part() => ForAll(units =>
    {
        ReliabilityBlock block = KofN((units.Length + 1) / 2, [.. units.Select((unit, i) => Component($"{i}", unit))]);
        var importance = block.GetImportance().ToDictionary(i => i.Name, i => i.Birnbaum);

        // A whole is linear in each part: A = a·I + A(part down).
        return units.Select((unit, i) => (unit, i)).All(x =>
        {
            AvailabilityRatio[] without = [.. units];
            without[x.i] = AvailabilityRatio.Never;
            var rest = AvailabilityRatio.KofN((units.Length + 1) / 2, without).Value;
            return Math.Abs(block.Availability.Value - (x.unit.Value * importance[$"{x.i}"] + rest)) < 1e-13;
        });
    });

    [Fact]
    public void Text_leads_back_to_the_same_value() => ForAll(units => units.All(unit =>
        Close(AvailabilityRatio.Parse(unit.ToString("R")), unit, 1e-15)
        && Math.Abs(AvailabilityRatio.Parse(unit.ToString()).Unavailability - unit.Unavailability) <= 0.01 * unit.Unavailability + 1e-4 * (unit.Unavailability > 0.5 ? 1 : 0)
        && AvailabilityRatio.Parse(unit.ToString("N")) <= unit | Close(AvailabilityRatio.Parse(unit.ToString("N")), unit, 1e-9)));

    [Fact]
    public void More_attempts_and_less_sharing_never_hurt() => ForAll(units => Enumerable.Range(1, 5).All(k =>
        Retry.Success(units[0], k + 1).Unavailability <= Retry.Success(units[0], k).Unavailability
        && Retry.ExpectedAttempts(units[0], k) is var mean && mean >= 1 - 1e-14 && mean <= k * (1 + 1e-14)
        && Retry.SuccessWithSharedCause(0.1, units[0].Unavailability, k) <= Retry.Success(units[0], k)));

    [Fact]
    public void The_fewest_endpoints_meet_the_target_and_one_less_does_not() => ForAll(units => units.Where(u => u.Value is > 0.2 and < 1).All(unit =>
        ((decimal[])[0.99m, 0.9999m, 0.999999m]).All(t =>
        {
            var target = AvailabilityRatio.From(t);
            var answer = Planner.EndpointsFor(unit, target, required: 2, beta: 0.01);
            if (answer.Value is not { } n)
                return 0.01 * unit.Unavailability * (1 - 1e-9) > target.Unavailability || !answer.Reached.Meets(target);
            return Reached(n).Meets(target) && Close(Reached(n), answer.Reached, 1e-9) && (n == 2 || !Reached(n - 1).Meets(target));

            AvailabilityRatio Reached(int n) => KofN(2, WithCommonCause(0.01, [.. Enumerable.Range(0, n).Select(i => Component($"{i}", unit))])).Availability;
        })));

    private static AvailabilityRatio Mirror(AvailabilityRatio a) => AvailabilityRatio.FromPair(a.Unavailability, a.Value);

    private static bool Close(AvailabilityRatio x, AvailabilityRatio y, double tolerance = 2e-14) =>
        Math.Abs(x.Value - y.Value) <= tolerance * Math.Max(x.Value, y.Value)
        && Math.Abs(x.Unavailability - y.Unavailability) <= tolerance * Math.Max(x.Unavailability, y.Unavailability);

    private static void ForAll(Func<AvailabilityRatio[], bool> holds) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Effort.Of(300)).WithReplay(2_024, 77),
        Prop.ForAll(Units, codes => holds([.. codes.Select(Decode)])));

    private static AvailabilityRatio Decode(int code) => code switch
    {
        0 => AvailabilityRatio.Always,
        1 => AvailabilityRatio.Never,
        < 500 => AvailabilityRatio.FromUnavailability(Math.Pow(10, -9.0 * code / 500)),
        _ => AvailabilityRatio.From(code / 1001.0),
    };
}
