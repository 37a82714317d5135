using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Creates pools whose endpoints are named a, b, c…, in virtual time and without heartbeats.</summary>
internal static class TestPool
{
    public static EndpointPool Create(ManualTimeProvider time, int endpoints, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Selection = { Preset = SelectionPreset.RoundRobin } };
        options.Heartbeat.Enabled = false;
        for (var i = 0; i < endpoints; i++)
            options.Endpoints.Add(new EndpointOptions { Name = ((char)('a' + i)).ToString(), Address = $"http://127.0.0.1:{9000 + i}/v1" });
        configure?.Invoke(options);
        var made = new EndpointPoolParts { TimeProvider = time };
        parts?.Invoke(made);
        return new EndpointPool("test", options, made);
    }
}
