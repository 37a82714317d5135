using System.Net.Http.Headers;
using HaKit.Testing;

namespace HaKit.Sample.Chat;

/// <summary>Sends an image as a multipart form to a pool of several recognisers, until one of them answers.</summary>
internal static class RecognizeCommand
{
    private const string Usage = """
        recognize IMAGE [--address URL[,URL…]] [--path PATH]

          --address URLS   the servers that recognise the image, in the order of preference (default: three local servers, and the first is down)
          --path PATH      the path at each address to which the form is sent (default v1/files)

        The form has the image as 'file' and 'purpose=vision'. The command prints the endpoint that answered, the attempts, and the answer.
        Exit code 1 if no endpoint answered.
        """;

    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        string[] all = [.. args];
        if (all is ["--help"] or ["-h"])
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }
        if (all is not [var file, ..] || file.StartsWith('-'))
            throw new UsageException("IMAGE is needed: the file to recognise.");
        var line = new CommandLine(all[1..]);
        var addresses = line.Text("--address")?.Split(',', StringSplitOptions.RemoveEmptyEntries);
        var path = line.Text("--path") ?? "v1/files";
        line.RefuseTheRest();
        var image = await ReadAsync(file, cancellationToken);
        await using var local = addresses is null ? await LocalRecognisers.StartAsync(cancellationToken) : null;
        await using var pool = new EndpointPool("recognisers", OptionsFor(addresses ?? local!.Addresses));
        using var client = pool.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = FormOf(image, Path.GetFileName(file)) };
        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
            foreach (var attempt in detail!.Attempts)
                await output.WriteLineAsync($"  {attempt.Endpoint}: {attempt.Fault?.ToString() ?? "answered"}");
            await output.WriteLineAsync(await response.Content.ReadAsStringAsync(cancellationToken));
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (EndpointPoolException exception)
        {
            await error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(file, cancellationToken);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"IMAGE is '{file}', which cannot be read: {wrong.Message}");
        }
    }

    private static EndpointPoolOptions OptionsFor(string[] addresses)
    {
        var options = new EndpointPoolOptions();
        for (var i = 0; i < addresses.Length; i++)
        {
            if (!Uri.TryCreate(addresses[i], UriKind.Absolute, out _))
                throw new UsageException($"--address has '{addresses[i]}': absolute addresses are needed.");
            options.Endpoints.Add(new EndpointOptions { Name = $"recogniser {i + 1}", Address = addresses[i], Tier = i });
        }
        return options;
    }

    private static MultipartFormDataContent FormOf(byte[] image, string name)
    {
        var content = new ByteArrayContent(image);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return new MultipartFormDataContent { { new StringContent("vision"), "purpose" }, { content, "file", name } };
    }

    private sealed class LocalRecognisers : IAsyncDisposable
    {
        private readonly List<FakeAiServer> _servers = [];

        public string[] Addresses => [.. _servers.Select(s => s.Address.ToString())];

        public static async Task<LocalRecognisers> StartAsync(CancellationToken cancellationToken)
        {
            var local = new LocalRecognisers();
            for (var i = 0; i < 3; i++)
                local._servers.Add(await FakeAiServer.StartAsync(cancellationToken: cancellationToken));
            await local._servers[0].KillAsync();
            return local;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var server in _servers)
                await server.DisposeAsync();
        }
    }
}
