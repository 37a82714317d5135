using HaKit.Sample.Web;

await using var app = await SampleApp.StartAsync(args);
Console.WriteLine($"""

    The sample is at {app.Address}
    Chat on the left, faults below it, the dashboard beside both ({app.Address}ha for the dashboard alone).
    Ctrl+C ends it.

    """);
await app.WaitAsync();
