using System.Net;
using System.Net.Sockets;
using System.Text;
using HaKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

// A port on which nothing listens, and a server that answers each connection once.
using var closed = new TcpListener(IPAddress.Loopback, 0);
closed.Start();
var nothing = closed.LocalEndpoint;
closed.Stop();
using var server = new TcpListener(IPAddress.Loopback, 0);
server.Start();
_ = AnswerAsync();

var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
{
    ["Endpoints:0:Name"] = "first",
    ["Endpoints:0:Address"] = $"http://{nothing}/v1",
    ["Endpoints:1:Name"] = "second",
    ["Endpoints:1:Address"] = $"http://{server.LocalEndpoint}/v1",
    ["Endpoints:1:Tier"] = "1",
    ["Heartbeat:Enabled"] = "false",
}).Build();
var services = new ServiceCollection().AddLogging();
services.AddHaEndpointPool("models", configuration);
services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
await using var provider = services.BuildServiceProvider();
var pool = provider.GetRequiredKeyedService<EndpointPool>("models");
using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");
for (var call = 0; call < 2; call++)
{
    using var question = new StringContent("""{"model":"any","messages":[{"role":"user","content":"Are you there?"}]}""", Encoding.UTF8, "application/json");
    using var answer = await client.PostAsync(new Uri(pool.Origin + "/chat/completions"), question);
    Console.WriteLine(answer.StatusCode);
}

async Task AnswerAsync()
{
    const string Body = """{"choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}""";
    while (true)
    {
        using var connection = await server.AcceptTcpClientAsync();
        await using var stream = connection.GetStream();
        var request = "";
        var buffer = new byte[4096];
        while (!request.Contains("there?\"}]}", StringComparison.Ordinal))
            request += Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer));
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\nConnection: close\r\n\r\n{Body}"));
    }
}
