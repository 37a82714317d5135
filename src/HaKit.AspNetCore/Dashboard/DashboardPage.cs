using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace HaKit.AspNetCore.Dashboard;

/// <summary>The operator's page: three files within the assembly, and nothing from anywhere else.</summary>
internal static class DashboardPage
{
    public static void Map(RouteGroupBuilder group, bool hasOrders)
    {
        var page = Read("dashboard.html").Replace("{{orders}}", hasOrders ? "on" : "off", StringComparison.Ordinal);
        byte[] style = Encoding.UTF8.GetBytes(Read("dashboard.css")), script = Encoding.UTF8.GetBytes(Read("dashboard.js"));
        group.MapGet("/", context => WriteAsync(context, Encoding.UTF8.GetBytes(page.Replace("{{base}}", Base(context.Request), StringComparison.Ordinal)), "text/html"));
        group.MapGet("/dashboard.css", context => WriteAsync(context, style, "text/css"));
        group.MapGet("/dashboard.js", context => WriteAsync(context, script, "text/javascript"));
    }

    // The page is at the prefix, with or without a slash; what belongs to it is beneath.
    private static string Base(HttpRequest request) => HtmlEncoder.Default.Encode((request.PathBase + request.Path).ToUriComponent().TrimEnd('/') + "/");

    private static Task WriteAsync(HttpContext context, byte[] content, string type)
    {
        var response = context.Response;
        response.ContentType = type + "; charset=utf-8";
        response.ContentLength = content.Length;
        response.Headers.CacheControl = "no-cache";
        return response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }

    private static string Read(string name)
    {
        using var stream = typeof(DashboardPage).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
