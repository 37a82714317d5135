using HaKit.Failover;
using HaKit.Testing;
using HaKit.Tests.Http;

namespace HaKit.Tests.Options;

/// <summary>A pool whose settings are at the edges of their ranges serves calls over HTTP: plain answers, streams, throttles, errors and cuts.</summary>
public sealed class HttpNumberTests
{
    public static TheoryData<string> Settings => NumberRangeTests.Settings;

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Settings))]
    public async Task An_accepted_number_breaks_no_call_over_HTTP(string path)
    {
        var usual = NumberWorld.NewOptions();
        var setting = NumberSetting.FindAll(usual).Single(s => s.Path == path);
        foreach (var value in setting.Extremes().Concat(setting.Edges(setting.Get(usual)!, v => IsAccepted(setting, v))).Distinct().Where(v => IsAccepted(setting, v)))
            await ServeAsync(setting, value);
    }

    [Fact(Timeout = 120_000)]
    public async Task Usual_numbers_serve_over_HTTP()
    {
        var setting = NumberSetting.FindAll(NumberWorld.NewOptions()).Single(static s => s.Path == "FirstContent:Multiplier");
        (await ServeAsync(setting, 3.0)).Should().BeGreaterThan(190);
    }

    private static async Task<int> ServeAsync(NumberSetting setting, object value)
    {
        await using var http = new HttpPool(3, options => Configure(options, setting, value));
        http.Fakes[0].Faults.Next(1, FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(1)));
        http.Fakes[1].Faults.Next(1, FakeFaults.OpenAI.ServerError());
        http.Fakes[2].Faults.Next(2, FakeFault.CutAfter(2));
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFault.Latency(TimeSpan.FromMilliseconds(50))); // learned limits come from times above 0
        return Enumerable.Range(0, 200).Count(number => IsServed(http, number, $"{setting.Path} is {NumberSetting.Shown(value)}"));
    }

    private static bool IsServed(HttpPool http, int number, string because)
    {
        try
        {
            http.Time.Run(() => http.ReadAsync(HttpPool.Chat($"call {number}", stream: number % 2 == 0)));
            return true;
        }
        catch (Exception failure) when (failure is EndpointPoolException or PartialResponseException or HttpRequestException or IOException)
        {
            return false; // the call ended with an exception that callers must expect
        }
        catch (Exception failure)
        {
            failure.Should().BeNull(because);
            return false;
        }
    }

    private static bool IsAccepted(NumberSetting setting, object value)
    {
        var options = NumberWorld.NewOptions();
        setting.Set(options, value);
        return options.Validate("numbers").Count == 0;
    }

    private static void Configure(EndpointPoolOptions options, NumberSetting setting, object value)
    {
        var numbers = NumberWorld.NewOptions();
        setting.Set(numbers, value);
        numbers.Endpoints.RemoveAt(3);
        for (var i = 0; i < 3; i++)
            numbers.Endpoints[i].Address = options.Endpoints[i].Address;
        numbers.Heartbeat.Enabled = false;
        numbers.Streaming.Continuation = StreamContinuation.On;
        foreach (var property in typeof(EndpointPoolOptions).GetProperties().Where(static p => p.CanWrite))
            property.SetValue(options, property.GetValue(numbers));
    }
}
