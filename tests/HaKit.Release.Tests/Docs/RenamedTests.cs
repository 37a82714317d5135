using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

/// <summary>The table of renamed members in CHANGELOG is true: the old names are gone from the public surface, and the new names are there.</summary>
public sealed class RenamedTests
{
    // Reads the first cell of each row: the names that no public surface has any more, and the new names. Both are regular expressions.
    private static readonly (string Before, string[] Gone, string[] Here)[] Rows =
    [
        ("Endpoint", [@"(class|struct) Endpoint\b"], [@"sealed class PoolEndpoint\b"]),
        ("EndpointOptions.Key, FailureDomains.Key", [@"String\? Key \{"], [@"String\? KeyName \{"]),
        ("CircuitState, HealthState.Circuit, circuit in the status JSON", [@"\bCircuitState\b", @"\bCircuit \{"], [@"EndpointHealthStatus Status \{"]),
        ("HealthStatus", [@"enum HealthStatus\b"], [@"enum EndpointHealthStatus\b"]),
        ("EndpointPoolParts.FaultPolicy, builder.UseFaultPolicy(…)", [@"\bFaultPolicy\b", @"\bUseFaultPolicy\b"], [@"\bOnFault \{", @" OnFault\("]),
        ("RetryOptions.MaxRetryAttempts, an int", [@"Int32 MaxRetryAttempts"], [@"Int32\? MaxRetryAttempts|Nullable<Int32> MaxRetryAttempts"]),
        ("Streaming:HoldItems", [@"\bHoldItems\b"], [@"\bHoldBytes \{"]),
        ("the numbers of FaultKind from RequestTooLarge on", [], [@"NotServed = \d+"]),
        ("HaKit.AI.StateKind, HaKit.AI.StateNotPortableException", [@"HaKit\.AI: .*(StateKind|StateNotPortableException)\b"], [@"HaKit: enum StateKind\b", @"HaKit: sealed class StateNotPortableException\b"]),
        ("HealthStatus.Recovering", [@"^    Recovering = "], [@"^    SlowStart = "]),
        ("CircuitBreaker:RampDuration, RampStart", [@"\bRampDuration\b", @"\bRampStart\b"], [@"\bSlowStartDuration \{", @"\bSlowStartInitialShare \{"]),
        ("HealthState.Ramp(now), Ramp of a status, an explanation or a candidate", [@"\bRamp\b"], [@"\bSlowStartShare\b"]),
        ("EndpointExplanation.HeldBackBy", [@"\bHeldBackBy\b"], [@"\bNotAdmittedBy\b"]),
        ("EndpointOptions.AttemptTimeout, a TimeSpan?", [], [@"TimeoutOptions\? AttemptTimeout \{"]),
        ("HaKit.Failover.TimeoutOptions", [@"HaKit\.Failover: .*\bTimeoutOptions\b"], [@"HaKit: sealed class TimeoutOptions\b"]),
        ("HaKit.Http.HttpOptions", [@"HaKit\.Http: .*\bHttpOptions\b"], [@"HaKit: sealed class HttpOptions\b"]),
        ("EndpointPool.CreateHttpClient(), a method", [@"^    HttpClient CreateHttpClient\("], [@"static HttpClient CreateHttpClient\(this EndpointPool"]),
        ("ExecuteAsync(state, callback), StreamAsync(state, open, reader) and StreamAsync(profile, state, open, reader), methods", [], [@"static .* ExecuteAsync<.*>\(this EndpointPool", @"static .* StreamAsync<.*>\(this EndpointPool"]),
        ("services.AddHaChatClient(…) and AddHaEmbeddingGenerator(…) return IServiceCollection", [@"IServiceCollection AddHa(ChatClient|EmbeddingGenerator)\("], [@"ChatClientBuilder AddHaChatClient\(", @"EmbeddingGeneratorBuilder<.*> AddHaEmbeddingGenerator"]),
        ("HaKit.Faults.FaultKind, FaultApplied, FaultBlame, FaultReach, WireDialect; HaKit.Health.ProbeLevel", [@"HaKit\.Faults: enum (FaultKind|FaultApplied|FaultBlame|FaultReach)\b", @"HaKit\.Health: enum ProbeLevel\b"], [@"HaKit: enum FaultKind\b", @"HaKit: enum FaultApplied\b", @"HaKit: enum FaultBlame\b", @"HaKit: enum FaultReach\b", @"HaKit: enum WireDialect\b", @"HaKit: enum ProbeLevel\b"]),
        ("HaKit.Availability.Availability, a struct with the name of its namespace; Availability.Of(…)", [@"struct Availability\b"], [@"struct AvailabilityRatio\b", @"static AvailabilityRatio From\("]),
        ("JointDowntime.Of(…)", [@"static JointDowntime Of\("], [@"static JointDowntime Measure\("]),
        ("PoolEventRecorder.Of<T>(), FaultScript.For(…)", [@"IReadOnlyList<T> Of<T>", @"FakeFault For\("], [@"GetEvents<T>\(", @"ChooseFault\("]),
        ("RequestFingerprint.Of(…) of HaKit.Batch", [@"static RequestFingerprint Of\("], [@"static RequestFingerprint Compute\("]),
    ];

    private static readonly Lazy<string> Surfaces = new(() => string.Join('\n', Repository.Files("tests", "*.txt").Where(static file => file.Contains("Approved", StringComparison.Ordinal)).Select(File.ReadAllText)));

    [Fact]
    public void Each_row_of_the_table_is_checked() =>
        Page.Table("CHANGELOG.md", "Renamed").Select(static row => row[0]).Should().Equal(Rows.Select(static row => row.Before));

    [Fact]
    public void Old_names_are_gone_from_the_public_surface() =>
        Rows.SelectMany(static row => row.Gone).Where(IsThere).Should().BeEmpty();

    [Fact]
    public void New_names_are_in_the_public_surface() =>
        Rows.SelectMany(static row => row.Here).Where(static name => !IsThere(name)).Should().BeEmpty();

    private static bool IsThere(string pattern) => Regex.IsMatch(Surfaces.Value, pattern, RegexOptions.Multiline);
}
