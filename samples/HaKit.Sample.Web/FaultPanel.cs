namespace HaKit.Sample.Web;

/// <summary>Injects faults into the fake servers when a button is pressed. This panel belongs to the sample, not to the library.</summary>
internal static class FaultPanel
{
    public static void Map(WebApplication app, Fleet fleet)
    {
        app.MapGet("/faults", () => fleet.Servers.Select(s => new { s.Name, s.Fault }));
        app.MapPost("/faults/{server}/{fault}", async (string server, string fault) =>
            fleet[server] is { } found && await found.SufferAsync(fault) ? Results.NoContent() : Results.NotFound());
    }
}
