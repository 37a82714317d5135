namespace HaKit.Sample.Web;

/// <summary>Breaks the fake servers at the push of a button. The sample's, not the library's.</summary>
internal static class FaultPanel
{
    public static void Map(WebApplication app, Fleet fleet)
    {
        app.MapGet("/faults", () => fleet.Servers.Select(s => new { s.Name, s.Fault }));
        app.MapPost("/faults/{server}/{fault}", async (string server, string fault) =>
            fleet[server] is { } found && await found.SufferAsync(fault) ? Results.NoContent() : Results.NotFound());
    }
}
