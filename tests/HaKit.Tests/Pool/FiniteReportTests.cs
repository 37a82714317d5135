using System.Reflection;
using System.Text.Json;
using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>
/// No status or report holds a number that is infinite or not a number, because JSON has no such number: an application that writes the object as it is would
/// fail. <see cref="Options.NumberRangeTests"/> writes the same objects with extreme settings.
/// </summary>
public sealed class FiniteReportTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Reports_of_a_pool_of_any_size_and_health_can_be_written_as_JSON(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < Effort.Of(10); round++)
        {
            using var test = TestPools.Create(random.Next(1, 5), o =>
            {
                foreach (var endpoint in o.Endpoints.Where(_ => random.Next(2) == 0))
                {
                    endpoint.Tier = random.Next(2);
                    endpoint.Limits = new() { MaxConcurrency = random.Next(2) == 0 ? 1 : null, RequestsPerMinute = random.Next(2) == 0 ? random.Next(1, 30) : null, AdaptiveConcurrency = random.Next(2) == 0 };
                }
            });
            ThrowIfUnwritable(test.Pool);
            foreach (var endpoint in test.Pool.Endpoints.Where(_ => random.Next(3) == 0))
                test[endpoint.Name].Faults.Always(random.Next(2) == 0 ? FakeFault.Refused : FakeFaults.OpenAI.RateLimited());
            for (var call = 0; call < random.Next(30); call++)
                test.Invoking(t => t.Call(new RequestProfile { Deadline = TimeSpan.FromSeconds(2) })).Should().NotThrow<InvalidOperationException>("calls are served or refused");
            ThrowIfUnwritable(test.Pool);
        }
    }

    [Fact]
    public void The_loss_of_the_only_endpoint_has_no_utilization()
    {
        using var test = TestPools.Create(1);
        test.Call();

        var loss = test.Pool.GetRedundancy().Domains.Should().ContainSingle().Which;

        ((double?)loss.Utilization).Should().BeNull();
        loss.ToString().Should().Be("losing endpoint a: every call would wait or fail (no endpoint is left)");
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_reported_load_without_a_finite_number_counts_as_no_load(double usage)
    {
        new ReportedLoad(1, 2, usage).CacheUsage.Should().Be(0);
        (new ReportedLoad(1, 2, 0.5) with { CacheUsage = usage }).CacheUsage.Should().Be(0);
        new ReportedLoad(1, 2, 0.5).CacheUsage.Should().Be(0.5);
    }

    // A new record with a number has to be written by one of the tests, or its number is one that an application chooses.
    [Fact]
    public void Every_record_of_the_pool_that_holds_a_number_is_written_by_these_tests()
    {
        Type[] written = [typeof(PoolStatus), typeof(EndpointStatus), typeof(LimitUse), typeof(ReportedLoad), typeof(PoolEndpoint), typeof(ScaleSignal), typeof(EndpointLoad), typeof(RedundancyReport), typeof(DomainLoss), typeof(PoolDemand), typeof(EndpointExplanation), typeof(EndpointScore)];
        Type[] never = [typeof(EndpointCandidate)]; // handed to a selector, and never written

        typeof(EndpointPool).Assembly.GetExportedTypes()
            .Where(static t => t.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly) is not null || t.IsValueType && !t.IsEnum)
            .Where(static t => t.GetProperties().Any(static p => (Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType) is var type && (type == typeof(double) || type == typeof(float))))
            .Should().BeSubsetOf([.. written, .. never]);
    }

    private static void ThrowIfUnwritable(EndpointPool pool)
    {
        foreach (object report in new object[] { pool.GetStatus(), pool.MeasureLoad(), pool.GetRedundancy(), pool.Explain(RequestProfile.Default), pool.GetAvailabilityReport(), pool.GetFleetStatus() })
            pool.Invoking(_ => JsonSerializer.Serialize(report)).Should().NotThrow();
    }
}
