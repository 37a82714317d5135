using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace HaKit.AspNetCore.Dashboard;

/// <summary>The operators' page: a few files within the assembly, without external resources.</summary>
internal static class DashboardPage
{
    private const string Folder = "dashboard/";

    public static void Map(RouteGroupBuilder group, bool hasOrders)
    {
        foreach (var resource in typeof(DashboardPage).Assembly.GetManifestResourceNames().Where(static n => n.StartsWith(Folder, StringComparison.Ordinal)))
        {
            if (resource.EndsWith(".html", StringComparison.Ordinal))
                MapPage(group, Read(resource).Replace("{{orders}}", hasOrders ? "on" : "off", StringComparison.Ordinal));
            else
                MapFile(group, resource[Folder.Length..], Encoding.UTF8.GetBytes(Read(resource)));
        }
    }

    private static void MapPage(RouteGroupBuilder group, string page) =>
        group.MapGet("/", context => WriteAsync(context, Encoding.UTF8.GetBytes(page.Replace("{{base}}", Base(context.Request), StringComparison.Ordinal)), "text/html"));

    private static void MapFile(RouteGroupBuilder group, string name, byte[] content)
    {
        var type = name.EndsWith(".css", StringComparison.Ordinal) ? "text/css" : "text/javascript";
        group.MapGet("/" + name, context => WriteAsync(context, content, type));
    }

    // The page is at the prefix, with or without a slash. Its files are below the prefix.
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
