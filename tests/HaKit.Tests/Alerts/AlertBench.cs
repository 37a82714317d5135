using HaKit.Alerts;
using HaKit.Testing;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Alerts;

/// <summary>A pool in virtual time, with alerts that a list receives.</summary>
internal sealed class AlertBench : IDisposable
{
    public AlertBench(int endpoints = 2, Action<AlertOptions>? configure = null, ILogger? logger = null, bool isWatching = true)
    {
        Test = TestPools.Create(endpoints);
        // Only the tests about redundancy compute it.
        var options = new AlertOptions { RedundancyInterval = null };
        options.Add((message, _) =>
        {
            Messages.Add(message);
            return default;
        });
        configure?.Invoke(options);
        Dispatcher = new AlertDispatcher(options, Test.Time, logger ?? new LogRecorder().CreateLogger("alerts"));
        if (isWatching)
            Watch();
    }

    public TestPool Test { get; }

    public AlertDispatcher Dispatcher { get; }

    public List<AlertMessage> Messages { get; } = [];

    public IEnumerable<AlertNotice> Notices => Messages.SelectMany(static m => m.Notices);

    public void Watch() => Test.Time.Run(() =>
    {
        Dispatcher.Watch(Test.Pool);
        return Task.CompletedTask;
    });

    public void Eject(string endpoint)
    {
        Test[endpoint].Faults.Always(FakeFault.Refused);
        for (var i = 0; i < 20 && Serves(endpoint); i++)
            Try(endpoint);
    }

    public void Heal(string endpoint)
    {
        Test[endpoint].Faults.Clear();
        for (var i = 0; i < 200 && !Serves(endpoint); i++)
        {
            Test.Time.Advance(TimeSpan.FromSeconds(1));
            Try(endpoint);
        }
    }

    /// <summary>Makes one call that only this endpoint may serve.</summary>
    public void Try(string endpoint)
    {
        try
        {
            Test.Call(new RequestProfile { Endpoints = [endpoint], Deadline = TimeSpan.FromSeconds(0.3) });
        }
        catch (Exception exception) when (exception is EndpointPoolException or HttpRequestException)
        {
        }
    }

    public void Dispose()
    {
        Dispatcher.Dispose();
        Test.Dispose();
    }

    private bool Serves(string endpoint) => Test.Pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == endpoint).Serves;
}
