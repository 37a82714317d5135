using HaKit.Testing;
using HaKit.Tests.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit.Continuity.Tests;

/// <summary>Each extreme number of a vault's settings is refused by name, or the vault saves and prunes with it.</summary>
public sealed class NumberTests : VaultTestBase
{
    public static TheoryData<string> Settings => [.. NumberSetting.FindAll(new VaultOptions()).Select(static s => s.Path)];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Settings))]
    public async Task An_extreme_number_is_refused_by_name_or_the_vault_works(string name)
    {
        WriteSome();
        var setting = NumberSetting.FindAll(new VaultOptions()).Single(s => s.Path == name);
        foreach (var value in setting.Extremes())
        {
            var time = new ManualTimeProvider();
            var place = new MemoryDestination();
            void Configure(VaultOptions options)
            {
                (options.Every, options.Source) = (name == "MeanTimeToLoss" ? null : TimeSpan.FromHours(1), Source);
                setting.Set(options, value);
            }
            var (vault, mistakes) = TryMake(place, Configure, time);
            if (vault is null)
            {
                mistakes.Should().Contain(name).And.Contain(NumberSetting.Shown(value));
                continue;
            }
            await RunAsync(vault, time, name, value, Configure);
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    [InlineData(-1)]
    public async Task A_prune_refuses_a_number_of_days_that_is_no_time(double days)
    {
        var vault = Make([("disk", new MemoryDestination())]);
        await vault.Awaiting(v => v.PruneAsync(new VaultPruneOptions { KeepDays = days }, Token)).Should().ThrowAsync<ArgumentOutOfRangeException>().WithMessage($"KeepDays is {NumberSetting.Shown(days)}: 0 to 36,500 is needed.*");
    }

    [Theory(Timeout = Limit)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(50 * TimeSpan.TicksPerDay)]
    [InlineData(long.MaxValue)]
    public async Task A_standby_refuses_a_pause_that_no_timer_takes(long ticks)
    {
        var vault = Make([("disk", new MemoryDestination())]);
        await using var follow = vault.FollowAsync(NewTarget(), new TimeSpan(ticks), Token).GetAsyncEnumerator(Token);
        await follow.Awaiting(f => f.MoveNextAsync().AsTask()).Should().ThrowAsync<ArgumentOutOfRangeException>().WithMessage("every is *: 1 ms to 30 days is needed.*");
    }

    private static (Vault? Vault, string Mistakes) TryMake(MemoryDestination place, Action<VaultOptions> configure, ManualTimeProvider time)
    {
        try
        {
            return (Make([("disk", place)], configure: configure, time: time), "");
        }
        catch (Exception refused) when (refused is ArgumentException or VaultException)
        {
            return (null, refused.Message);
        }
    }

    private static async Task RunAsync(Vault vault, ManualTimeProvider time, string name, object value, Action<VaultOptions> configure)
    {
        var options = new VaultOptions();
        configure(options);
        using var schedule = new VaultSchedule("state", vault, options, NullLogger<VaultSchedule>.Instance);
        await schedule.StartAsync(Token);
        for (var turn = 0; turn < 20 && !schedule.ExecuteTask!.IsCompleted; turn++)
        {
            await Task.Delay(5, Token);
            time.Advance(TimeSpan.FromHours(1));
        }
        _ = schedule.Read();
        (schedule.ExecuteTask!.IsFaulted, schedule.ExecuteTask.Exception?.InnerException?.Message).Should().Be((false, null), "{0} is {1}", name, NumberSetting.Shown(value));
        var pruning = vault.PruneAsync(new VaultPruneOptions { KeepLast = options.KeepLast, KeepDays = options.KeepDays }, Token);
        for (var turn = 0; turn < 1000 && !pruning.IsCompleted; turn++)
        {
            await Task.Delay(5, Token); // the vault works on threads of its own
            time.Advance(TimeSpan.FromHours(1));
        }
        pruning.IsCompleted.Should().BeTrue("{0} is {1}", name, NumberSetting.Shown(value));
        if (pruning.Exception?.InnerException is { } failure)
            failure.Should().BeAssignableTo<VaultException>("{0} is {1}", name, NumberSetting.Shown(value));
        await schedule.StopAsync(Token);
    }
}
