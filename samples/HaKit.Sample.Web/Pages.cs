namespace HaKit.Sample.Web;

/// <summary>Maps the sample's own page.</summary>
internal static class Pages
{
    public static void Map(WebApplication app)
    {
        Map(app, "/", "sample.html", "text/html");
        Map(app, "/sample.css", "sample.css", "text/css");
        Map(app, "/sample.js", "sample.js", "text/javascript");
    }

    private static void Map(WebApplication app, string path, string name, string type) => app.MapGet(path, () =>
        Results.Stream(typeof(Pages).Assembly.GetManifestResourceStream(name)!, type + "; charset=utf-8"));
}
