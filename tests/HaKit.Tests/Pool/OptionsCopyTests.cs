using System.Collections;
using System.Reflection;
using HaKit.Testing;
using Microsoft.Extensions.Options;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>A pool uses a validated copy of its options. A later change of the caller's options takes effect only through an update.</summary>
public sealed class OptionsCopyTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task What_the_caller_changes_after_the_pool_was_made_takes_no_effect()
    {
        EndpointPoolOptions options = null!;
        await using var pool = TestPool.Create(_time, 1, o => options = o);
        options.Retry.MaxRetryAttempts = -5;
        options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(-1);
        options.Endpoints.Clear();
        options.AccountLimits["x"] = new();

        pool.Deadline.Should().Be(TimeSpan.FromSeconds(100));
        pool.Options.Retry.MaxRetryAttempts.Should().BeNull();
        (await pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("a");
        pool.AddEndpoint(new EndpointOptions { Name = "b" });
        pool.Endpoints.Select(e => e.Name).Should().Equal("a", "b");
    }

    [Fact]
    public async Task What_the_caller_changes_after_an_update_takes_no_effect()
    {
        await using var pool = TestPool.Create(_time, 1);
        var options = new EndpointPoolOptions { Endpoints = { new() { Name = "a", Headers = { ["x"] = "1" }, Tags = { "t" } } } };
        options.Heartbeat.Enabled = false;
        pool.Update(options);
        options.Retry.MaxRetryAttempts = 99;
        options.Endpoints[0].Tags.Add("u");
        pool.Options.Retry.MaxRetryAttempts.Should().BeNull();
        pool.Options.Endpoints[0].Tags.Should().Equal("t");
    }

    [Fact]
    public void A_copy_shares_nothing_that_can_be_changed()
    {
        var options = new EndpointPoolOptions
        {
            AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(1) },
            Objective = new(),
            AccountLimits = { ["team"] = new() },
            Endpoints = { new() { Name = "a", Limits = new(), AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(1) }, Headers = { ["x"] = "1" }, Tags = { "t" } } },
        };
        var copy = options.Copy();
        var mine = new HashSet<object>(ReferenceEqualityComparer.Instance);
        Collect(options, mine);
        var its = new HashSet<object>(ReferenceEqualityComparer.Instance);
        Collect(copy, its);

        mine.Should().HaveCountGreaterThan(20, "a walk that sees nothing would allow anything");
        its.Where(mine.Contains).Select(o => o.GetType().Name).Should().BeEmpty();
        copy.Should().BeEquivalentTo(options);
    }

    [Fact]
    public void A_group_that_is_null_is_refused_by_name()
    {
        foreach (var property in typeof(EndpointPoolOptions).GetProperties().Where(p => p.CanWrite && IsChangeable(p.PropertyType) && !IsOptional(p)))
        {
            var options = new EndpointPoolOptions { Endpoints = { new() { Name = "a" } } };
            property.SetValue(options, null);
            FluentActions.Invoking(() => new EndpointPool("test", options)).Should().Throw<OptionsValidationException>(property.Name).WithMessage($"*{property.Name} is null*");
        }
        FluentActions.Invoking(() => new EndpointPool("test", new EndpointPoolOptions { Endpoints = { null! } })).Should().Throw<OptionsValidationException>();
    }

    [Fact]
    public async Task A_reload_names_the_settings_that_a_running_pool_cannot_apply()
    {
        using var log = new LogRecorder();
        EndpointPoolOptions options = null!;
        await using var pool = TestPool.Create(_time, 1, o => options = o, parts => parts.LoggerFactory = log.CreateFactory());
        pool.Update(options);
        log.Entries.Where(e => e.Id.Id == 32).Should().BeEmpty("nothing changed");

        options.MaxWaitingCalls = 7;
        options.RetryBudget.Cap = 3;
        options.Retry.MaxRetryAttempts = 2;
        pool.Update(options);
        log.Entries.Where(e => e.Id.Id == 32).Should().ContainSingle().Which.Message.Should().Contain("MaxWaitingCalls, RetryBudget:Cap").And.NotContain("MaxRetryAttempts");
    }

    [Fact]
    public async Task A_pool_that_was_made_by_hand_and_its_update_warn_of_settings_that_are_probably_mistakes_once()
    {
        using var log = new LogRecorder();
        EndpointPoolOptions options = null!;
        await using var pool = TestPool.Create(
            _time,
            1,
            o => (o.TotalRequestTimeout.Timeout, options) = (TimeSpan.FromMilliseconds(30), o),
            parts => parts.LoggerFactory = log.CreateFactory());
        Warnings().Should().ContainSingle().Which.Should().Contain("TotalRequestTimeout:Timeout is 30 ms");
        options.RetryBudget.Cap = 0.5;
        pool.Update(options);
        pool.Update(options);
        Warnings().Should().HaveCount(2).And.Contain(w => w.Contains("RetryBudget:Cap is 0.5"));

        string[] Warnings() => [.. log.Entries.Where(static e => e.Id.Id == 5).Select(static e => e.Message)];
    }

    private static bool IsChangeable(Type type) => !type.IsValueType && type != typeof(string);

    private static bool IsOptional(PropertyInfo property) => new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    private static void Collect(object? value, HashSet<object> into)
    {
        if (value is null or string || value.GetType().IsValueType || !into.Add(value))
            return;
        if (value is IDictionary dictionary)
        {
            foreach (var item in dictionary.Values)
                Collect(item, into);
        }
        else if (value is IEnumerable items)
        {
            foreach (var item in items)
                Collect(item, into);
        }
        else
        {
            foreach (var property in value.GetType().GetProperties().Where(p => p.GetIndexParameters().Length == 0))
                Collect(property.GetValue(value), into);
        }
    }
}
