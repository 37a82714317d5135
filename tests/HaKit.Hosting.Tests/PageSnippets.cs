using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Hosting.Tests;

/// <summary>The code that docs/in-your-application.md shows, compiled.</summary>
internal static class PageSnippets
{
    public static void Aspire(WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.Services.AddHaEndpointPool("models", builder.Configuration.GetSection("Models"));
        builder.Services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
    }

    public static void Discovery(WebApplicationBuilder builder)
    {
        builder.Services.AddHaEndpointPool("models", options => { })
            .AddEndpointsFrom("https+http://models/v1", endpoint => endpoint.Dialect = WireDialect.Vllm);
        builder.Services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
    }
}
