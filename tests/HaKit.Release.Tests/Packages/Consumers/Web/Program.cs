using System.Net.Http.Json;
using HaKit;
using HaKit.Testing;

await using var first = await FakeAiServer.StartAsync(new FakeAiOptions { Name = "first" });
await using var second = await FakeAiServer.StartAsync(new FakeAiOptions { Name = "second" });

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.ClearProviders();
builder.Services.AddHaEndpointPool("models", options =>
{
    options.Endpoints.Add(new EndpointOptions { Name = "first", Address = first.OpenAIAddress.AbsoluteUri });
    options.Endpoints.Add(new EndpointOptions { Name = "second", Address = second.OpenAIAddress.AbsoluteUri, Tier = 1 });
});
builder.Services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
builder.Services.AddHealthChecks().AddHaEndpointPoolCheck("models");
await using var app = builder.Build();
app.MapHealthChecks("/health");
app.MapHaEndpointPools("/ha");
app.MapPost("/ask", async (IHttpClientFactory clients, EndpointPool pool) =>
{
    var question = new { model = "any", messages = new[] { new { role = "user", content = "Are you there?" } } };
    using var answer = await clients.CreateClient("llm").PostAsJsonAsync(new Uri(pool.Origin + "/chat/completions"), question);
    return answer.StatusCode.ToString();
});
await app.StartAsync();

using var browser = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
await AskAsync();
await first.KillAsync();
await AskAsync();
Console.WriteLine($"first {first.Counts.AnsweredWhole}, second {second.Counts.AnsweredWhole}");
Console.WriteLine(await browser.GetStringAsync("/health"));
await app.StopAsync();

async Task AskAsync()
{
    using var answer = await browser.PostAsync("/ask", null);
    Console.WriteLine(await answer.Content.ReadAsStringAsync());
}
