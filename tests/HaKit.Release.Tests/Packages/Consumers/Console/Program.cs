using System.Net.Http.Json;
using HaKit;
using HaKit.Testing;

await using var first = await FakeAiServer.StartAsync(new FakeAiOptions { Name = "first" });
await using var second = await FakeAiServer.StartAsync(new FakeAiOptions { Name = "second" });

var options = new EndpointPoolOptions();
options.Endpoints.Add(new EndpointOptions { Name = "first", Address = first.OpenAIAddress.AbsoluteUri });
options.Endpoints.Add(new EndpointOptions { Name = "second", Address = second.OpenAIAddress.AbsoluteUri, Tier = 1 });
await using var pool = new EndpointPool("models", options);
using var client = pool.CreateHttpClient();

await AskAsync();
await first.KillAsync();
await AskAsync();
Console.WriteLine($"first {first.Counts.AnsweredWhole}, second {second.Counts.AnsweredWhole}");

async Task AskAsync()
{
    var question = new { model = "any", messages = new[] { new { role = "user", content = "Are you there?" } } };
    using var answer = await client.PostAsJsonAsync(new Uri(pool.Origin + "/chat/completions"), question);
    Console.WriteLine(answer.StatusCode);
}
