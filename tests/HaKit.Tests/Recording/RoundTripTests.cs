using System.Reflection;
using System.Text;
using System.Text.Json;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Recording;
using HaKit.Telemetry;
using Microsoft.Extensions.Configuration;

namespace HaKit.Tests.Recording;

public sealed class RoundTripTests
{
    private static readonly DateTimeOffset s_origin = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Whatever_is_encoded_is_decoded_the_same()
    {
        var random = new Random(11);
        for (var round = 0; round < 200; round++)
        {
            var encoder = new EntryEncoder();
            var entries = Enumerable.Range(0, random.Next(1, 60)).Select(_ => EntryOf(random)).ToArray();
            foreach (var entry in entries)
                encoder.Write(in entry, ["m1", "m2"]);
            var decoder = new EntryDecoder(encoder.Written, 3, s_origin, s_origin);
            foreach (var entry in entries)
                Compare(in entry, decoder.Next()!);
            decoder.Next().Should().BeNull();
        }
    }

    private static void Compare(in RingEntry entry, RecordedEvent read)
    {
        (read.At - s_origin).Ticks.Should().BeCloseTo(entry.At, (ulong)EntryEncoder.TicksPerUnit);
        switch (read)
        {
            case RecordedAttempt attempt:
                (attempt.Endpoint, attempt.Call, attempt.Number).Should().Be((entry.Name!, entry.Call, entry.Number));
                attempt.Took.Ticks.Should().BeCloseTo(entry.Took, (ulong)EntryEncoder.TicksPerUnit);
                (attempt.FirstContent is not null).Should().Be(entry.Flags.HasFlag(EntryFlags.HasFirstContent));
                attempt.InputTokens.Should().Be(entry.Flags.HasFlag(EntryFlags.HasTokens) ? entry.Input : null);
                attempt.CachedTokens.Should().Be(entry.Flags.HasFlag(EntryFlags.HasCached) ? entry.Cached : null);
                CompareFault(in entry, attempt.Fault);
                break;
            case RecordedCall call:
                (call.Number, call.InputTokens, call.MaxOutputTokens).Should().Be((entry.Call, entry.Input, entry.Output));
                call.Deadline.Ticks.Should().BeCloseTo(entry.Deadline, (ulong)EntryEncoder.TicksPerUnit);
                call.Model.Should().Be(entry.Flags.HasFlag(EntryFlags.HasModel) && entry.Name != "unknown" ? entry.Name : null);
                call.IsRestricted.Should().Be(entry.Flags.HasFlag(EntryFlags.IsRestricted) || entry.Flags.HasFlag(EntryFlags.HasModel) && entry.Name == "unknown");
                call.Priority.Should().Be(entry.Flags.HasFlag(EntryFlags.HasPriority) ? entry.Number : 0);
                call.Error.Should().Be(entry.Flags.HasFlag(EntryFlags.HasError) ? entry.Error : null);
                break;
            case RecordedProbe probe:
                (probe.Endpoint, probe.Level).Should().Be((entry.Name!, (ProbeLevel)entry.Detail));
                CompareFault(in entry, probe.Fault);
                break;
            case RecordedChange change:
                (change.Endpoint, change.Before, change.After).Should().Be((entry.Name!, (EndpointHealthStatus)(entry.Statuses & 0xF), (EndpointHealthStatus)(entry.Statuses >> 4)));
                break;
        }
    }

    private static void CompareFault(in RingEntry entry, Fault? read)
    {
        if (!entry.Flags.HasFlag(EntryFlags.HasFault))
            read.Should().BeNull();
        else
            read.Should().Be(entry.Fault! with { Code = null, RetryAfter = read!.RetryAfter });
    }

    private static RingEntry EntryOf(Random random)
    {
        var kind = (EntryKind)random.Next((int)EntryKind.Attempt, (int)EntryKind.Dropped);
        var flags = (EntryFlags)random.Next(1 << 21);
        if (kind != EntryKind.Call)
            flags &= EntryFlags.IsStream | EntryFlags.HasFault | EntryFlags.HasFirstContent | EntryFlags.HasTokens | EntryFlags.HasCached | EntryFlags.IsTrial;
        return new RingEntry
        {
            Kind = kind,
            Flags = flags,
            Detail = (byte)random.Next(kind == EntryKind.Probe ? 3 : 4),
            Statuses = (byte)(random.Next(7) | random.Next(7) << 4),
            Number = kind == EntryKind.Call ? random.Next(-5, 5) : random.Next(1, 300),
            Name = kind == EntryKind.Call ? new[] { "m1", "m2", "unknown" }[random.Next(3)] : $"endpoint-{random.Next(4)} é",
            Error = "DeadlineExceeded",
            Fault = flags.HasFlag(EntryFlags.HasFault) && kind != EntryKind.Call ? FaultOf(random) : null,
            Call = random.NextInt64(1L << random.Next(1, 62)),
            At = random.NextInt64(1L << random.Next(1, 55)),
            Took = random.NextInt64(1L << random.Next(1, 50)),
            Part = random.NextInt64(1L << random.Next(1, 50)),
            Deadline = random.NextInt64(1L << random.Next(1, 50)),
            MaxWait = random.NextInt64(1L << 40),
            Input = random.Next(),
            Output = random.Next(),
            Cached = random.Next(),
            Rules = (ulong)(random.Next(1, 15) << 4 | random.Next(1, 15)),
        };
    }

    private static Fault FaultOf(Random random) => new((FaultKind)random.Next(Enum.GetValues<FaultKind>().Length))
    {
        Applied = (FaultApplied)random.Next(4),
        Blame = (FaultBlame)random.Next(4),
        Reach = (FaultReach)random.Next(Enum.GetValues<FaultReach>().Length),
        UntilCleared = random.Next(2) == 0,
        StatusCode = random.Next(600),
        RetryAfter = random.Next(2) == 0 ? TimeSpan.FromMilliseconds(random.Next(100_000)) : null,
        Code = "a word of the provider's",
    };

    /// <summary>
    /// The settings that a recording leaves out, because they name a place, a file, a person or a secret, or have no meaning for a simulated pool.
    /// </summary>
    private static readonly string[] s_leftOut =
    [
        "Endpoints:Address", "Endpoints:Client", "Endpoints:Credential", "Endpoints:Headers", "Endpoints:ForwardCallerCredential", "Endpoints:HealthPath", "Heartbeat:Path",
        "Origin", "Http", "Sharing", "Recovery", "Scale", "Objective", "OnFault", "Seed",
        // A recording has no contents that could be continued, and the instruction is a part of a prompt.
        "Endpoints:Continuation", "Endpoints:ContinuationInstruction", "Endpoints:RepeatsTail", "Streaming:Continuation",
    ];

    [Fact]
    public void Every_setting_is_in_the_recorded_configuration_or_on_the_list_of_those_that_are_left_out()
    {
        var options = new EndpointPoolOptions
        {
            Endpoints =
            [
                new EndpointOptions
                {
                    Name = "a", Zone = "z", Account = "acc", KeyName = "k", Region = "r", Provider = "p", Model = "m", ContextWindow = 5, Residency = "eu", Tags = ["t"],
                    Limits = new() { MaxConcurrency = 1, RequestsPerMinute = 2, TokensPerMinute = 3 }, AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(4) },
                },
            ],
            AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(7) },
            MaxWait = TimeSpan.FromSeconds(8),
        };
        options.AccountLimits["acc"] = new() { MaxConcurrency = 4, RequestsPerMinute = 5, TokensPerMinute = 6 };
        options.Retry.MaxRetryAttempts = 3;
        options.Retry.MaxAttemptsPerEndpoint = 2;
        options.Selection.Zone = "z";
        var json = PoolConfiguration.Write("chat", options);
        var root = JsonDocument.Parse(json).RootElement;
        var missing = SettingsOf(typeof(EndpointPoolOptions), "").Where(s => !s_leftOut.Any(l => s == l || s.StartsWith(l + ":", StringComparison.Ordinal)) && !Has(root, s));
        missing.Should().BeEmpty();

        var read = new ConfigurationBuilder().AddJsonStream(new MemoryStream(json)).Build().Get<EndpointPoolOptions>()!;
        Encoding.UTF8.GetString(PoolConfiguration.Write("chat", read)).Should().Be(Encoding.UTF8.GetString(json), "what is written can be read as a configuration");
    }

    private static IEnumerable<string> SettingsOf(Type type, string path)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is { IsPublic: true }))
        {
            var name = path + property.Name;
            var inner = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (inner == typeof(IList<EndpointOptions>))
                inner = typeof(EndpointOptions);
            if (inner.IsClass && inner.Namespace!.StartsWith("HaKit", StringComparison.Ordinal) && inner.GetProperties().Any(p => p.SetMethod is { IsPublic: true }))
            {
                foreach (var setting in SettingsOf(inner, name + ":"))
                    yield return setting;
            }
            else
            {
                yield return name;
            }
        }
    }

    private static bool Has(JsonElement element, string path)
    {
        foreach (var part in path.Split(':'))
        {
            if (element.ValueKind == JsonValueKind.Array)
                element = element[0];
            if (!element.TryGetProperty(part, out element))
                return false;
        }
        return true;
    }

    [Fact]
    public void The_outcomes_of_a_recording_are_those_of_telemetry() =>
        Enum.GetNames<RecordedOutcome>().Should().Equal(Enum.GetNames<CallOutcome>());
}
