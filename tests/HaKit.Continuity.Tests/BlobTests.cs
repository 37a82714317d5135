using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Continuity.Tests;

/// <summary>
/// A vault in a container of Azure Blob Storage by its SAS address: against a container in memory that checks what the service checks, and against Azurite, Microsoft's
/// own server, where HAKIT_AZURITE names its program, or where <c>npm install --prefix /tmp/azurite azurite</c> put it.
/// </summary>
public sealed class BlobTests : IDisposable
{
    private const string Sas = "sv=2021-12-02&sp=racdl&sig=planted-signature";

    private static readonly string s_secondKey = Convert.ToBase64String(Enumerable.Range(101, 32).Select(i => (byte)i).ToArray());

    private readonly string _folder = Directory.CreateTempSubdirectory("vault-blob-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 60_000)]
    public async Task A_vault_in_a_container_is_saved_checked_restored_and_pruned()
    {
        var container = new FakeContainer();
        using var http = new HttpClient(container);
        await using var vault = VaultAt($"https://account.blob.test/box?{Sas}", http);
        await SaveRestoreAndPruneAsync(vault);
        container.Refused.Should().BeEmpty("each request is as the service wants it");
        container.Pages.Should().BeGreaterThan(1, "a list of more than one page is read to its end");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_object_is_never_written_over()
    {
        using var http = new HttpClient(new FakeContainer());
        var container = new AzureBlobDestination(new Uri($"https://account.blob.test/box?{Sas}"), http);
        (await container.PutIfAbsentAsync("c/one.1", new byte[] { 1 }, Token)).Should().BeTrue();
        (await container.PutIfAbsentAsync("c/one.1", new byte[] { 2 }, Token)).Should().BeFalse();
        (await container.GetAsync("c/one.1", Token)).Should().Equal(1);
        (await container.GetAsync("c/none.1", Token)).Should().BeNull();
        await container.DeleteAsync("c/none.1", Token);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(HttpStatusCode.Forbidden, "403")]
    [InlineData(HttpStatusCode.Conflict, "409")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "503")]
    [InlineData(HttpStatusCode.InsufficientStorage, "507")]
    public async Task A_container_that_refuses_is_named_and_its_address_is_not(HttpStatusCode status, string shown)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "source"));
        using var http = new HttpClient(new FakeContainer { Fails = status });
        await using var vault = VaultAt($"https://account.blob.test/box?{Sas}", http);
        var failure = await vault.Invoking(v => v.SaveAsync(Path.Combine(_folder, "source"), cancellationToken: Token)).Should().ThrowAsync<VaultException>();
        failure.Which.Message.Should().Contain("'blob'").And.Contain(shown).And.NotContain("planted-signature");
        failure.Which.ToString().Should().NotContain("planted-signature");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_vault_in_Azurite_is_saved_checked_restored_and_pruned()
    {
        var program = Environment.GetEnvironmentVariable("HAKIT_AZURITE") ?? "/tmp/azurite/node_modules/.bin/azurite-blob";
        Assert.SkipUnless(File.Exists(program), $"There is no {program}: npm install --prefix /tmp/azurite azurite, or set HAKIT_AZURITE to its program azurite-blob.");
        var key = RandomNumberGenerator.GetBytes(32);
        var port = FreePort.Take();
        var start = new ProcessStartInfo(program!, ["--blobHost", "127.0.0.1", "--blobPort", $"{port}", "--inMemoryPersistence", "--silent", "--disableTelemetry"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["AZURITE_ACCOUNTS"] = $"tests:{Convert.ToBase64String(key)}";
        using var server = Process.Start(start)!;
        try
        {
            using var sent = new Recorder();
            using var http = new HttpClient(sent);
            var address = $"http://127.0.0.1:{port}/tests/box?{AccountSas("tests", key)}";
            await CreateContainerAsync(http, address, server);
            await using (var vault = VaultAt(address, http))
            {
                await SaveRestoreAndPruneAsync(vault);
                await vault.SyncAsync(Token);
            }
            await using (var both = VaultAt(address, http, o => o.Keys["2"] = s_secondKey))
            {
                await both.RekeyAsync(Token);
            }
            await ScanAsync(new AzureBlobDestination(new Uri(address), http), sent);
            await using var wrong = VaultAt(address[..address.LastIndexOf("sig=", StringComparison.Ordinal)] + "sig=AAAA", http);
            (await wrong.Invoking(v => v.ListAsync(Token)).Should().ThrowAsync<VaultException>()).Which.Message.Should().Contain("403");
        }
        finally
        {
            server.Kill(entireProcessTree: true);
        }
    }

    private async Task SaveRestoreAndPruneAsync(Vault vault)
    {
        var source = Path.Combine(_folder, "source");
        Directory.CreateDirectory(source);
        Directory.CreateDirectory(Path.Combine(source, Path.GetDirectoryName(PlantedSecrets.FileName)!));
        for (var i = 0; i < 3; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(source, PlantedSecrets.FileName), PlantedSecrets.Content + i, Token);
            var content = new byte[3 << 20];
            new Random(i).NextBytes(content);
            await File.WriteAllBytesAsync(Path.Combine(source, "large"), content, Token);
            await vault.SaveAsync(source, cancellationToken: Token);
        }
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        var target = Path.Combine(_folder, "target");
        await vault.RestoreAsync("latest", target, Token);
        File.ReadAllBytes(Path.Combine(target, "large")).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(source, "large"))).Should().BeTrue();
        await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token);
        (await vault.PruneAsync(new VaultPruneOptions { KeepLast = 1 }, Token)).Deleted.Should().Be(8, "two snapshots had four chunks each that the newest does not use");
        (await vault.CheckAsync(Token)).Findings.Should().BeEmpty();
        (await vault.ListAsync(Token)).Should().ContainSingle();
    }

    // All that the container contains now, and all that was ever sent to it: addresses, headers and bodies.
    private static async Task ScanAsync(AzureBlobDestination container, Recorder sent)
    {
        var seen = new List<byte[]>(sent.Seen);
        var names = await container.ListAsync("", Token);
        foreach (var name in names)
        {
            seen.Add(Encoding.UTF8.GetBytes(name));
            seen.Add((await container.GetAsync(name, Token))!);
        }
        names.Select(n => n[0]).Distinct().Should().Contain(['k', 'c', 's', 't']);
        seen.Sum(static b => b.Length).Should().BeGreaterThan(12 << 20, "four contents of 3 MiB were sent, and one is held");
        PlantedSecrets.ShouldNotBeIn(seen, VaultWork.Key, s_secondKey);
    }

    private static Vault VaultAt(string address, HttpClient http, Action<VaultOptions>? configure = null)
    {
        var options = new VaultOptions { Grace = TimeSpan.Zero, OperationTimeout = TimeSpan.FromSeconds(5) };
        options.Keys["1"] = VaultWork.Key;
        options.Destinations.Add(new VaultDestinationOptions { Name = "blob", BlobSas = address });
        configure?.Invoke(options);
        return Vault.Create("blobs", options, http);
    }

    private static async Task CreateContainerAsync(HttpClient http, string address, Process server)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, address.Replace("?", "?restype=container&", StringComparison.Ordinal));
            request.Headers.TryAddWithoutValidation("x-ms-version", "2021-12-02");
            try
            {
                using var answer = await http.SendAsync(request, Token);
                answer.StatusCode.Should().Be(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Token));
                return;
            }
            catch (HttpRequestException) when (!server.HasExited)
            {
                await Task.Delay(200, Token); // it does not listen yet
            }
        }
    }

    // An account SAS as the service's documentation gives it, for version 2021-12-02.
    private static string AccountSas(string account, byte[] key)
    {
        var (start, end) = (DateTime.UtcNow.AddMinutes(-5).ToString("s") + "Z", DateTime.UtcNow.AddHours(1).ToString("s") + "Z");
        var signed = string.Join('\n', account, "rwdlac", "b", "sco", start, end, "", "https,http", "2021-12-02", "", "");
        var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed)));
        return $"sv=2021-12-02&ss=b&srt=sco&sp=rwdlac&st={Uri.EscapeDataString(start)}&se={Uri.EscapeDataString(end)}&spr=https,http&sig={Uri.EscapeDataString(signature)}";
    }

    /// <summary>Keeps all that is sent: addresses, headers and bodies.</summary>
    private sealed class Recorder() : DelegatingHandler(new SocketsHttpHandler())
    {
        public ConcurrentQueue<byte[]> Seen { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Seen.Enqueue(Encoding.UTF8.GetBytes($"{request.RequestUri} {request.Headers}"));
            if (request.Content is not null)
            {
                Seen.Enqueue(await request.Content.ReadAsByteArrayAsync(cancellationToken));
            }
            return await base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>
    /// A container in memory. It refuses what the service refuses: a query that is not the SAS, a write without If-None-Match or blob type, a request without a
    /// version.
    /// </summary>
    private sealed class FakeContainer : HttpMessageHandler
    {
        private const int PageSize = 2;

        private readonly SortedDictionary<string, byte[]> _blobs = new(StringComparer.Ordinal);

        public List<string> Refused { get; } = [];

        public int Pages { get; private set; }

        public HttpStatusCode? Fails { get; init; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
            lock (_blobs)
            {
                return Fails is { } status ? new HttpResponseMessage(status) : Answer(request, body);
            }
        }

        private HttpResponseMessage Answer(HttpRequestMessage request, byte[] body)
        {
            var address = request.RequestUri!;
            if (!address.Query.EndsWith(Sas, StringComparison.Ordinal) || !request.Headers.Contains("x-ms-version"))
            {
                return Refuse(HttpStatusCode.Forbidden, "no SAS or no version");
            }
            var name = address.AbsolutePath["/box".Length..].TrimStart('/');
            if (name.Length == 0)
            {
                return List(System.Web.HttpUtility.ParseQueryString(address.Query));
            }
            return request.Method.Method switch
            {
                "PUT" => Put(request, name, body),
                "GET" => _blobs.TryGetValue(name, out var held) ? new HttpResponseMessage { Content = new ByteArrayContent(held) } : new HttpResponseMessage(HttpStatusCode.NotFound),
                "DELETE" => new HttpResponseMessage(_blobs.Remove(name) ? HttpStatusCode.Accepted : HttpStatusCode.NotFound),
                _ => Refuse(HttpStatusCode.MethodNotAllowed, request.Method.Method),
            };
        }

        private HttpResponseMessage Put(HttpRequestMessage request, string name, byte[] body)
        {
            if (!request.Headers.TryGetValues("x-ms-blob-type", out var type) || type.Single() != "BlockBlob")
            {
                return Refuse(HttpStatusCode.BadRequest, "no blob type");
            }
            if (request.Headers.IfNoneMatch.ToString() != "*")
            {
                return Refuse(HttpStatusCode.BadRequest, "a write that could replace an object");
            }
            var answer = new HttpResponseMessage(_blobs.TryAdd(name, body) ? HttpStatusCode.Created : HttpStatusCode.Conflict);
            if (answer.StatusCode == HttpStatusCode.Conflict)
            {
                answer.Headers.Add("x-ms-error-code", "BlobAlreadyExists");
            }
            return answer;
        }

        private HttpResponseMessage List(System.Collections.Specialized.NameValueCollection query)
        {
            Pages++;
            var from = query["marker"] ?? "";
            var names = _blobs.Keys.Where(n => n.StartsWith(query["prefix"] ?? "", StringComparison.Ordinal) && string.CompareOrdinal(n, from) >= 0).Take(PageSize + 1).ToArray();
            var next = names.Length > PageSize ? names[PageSize] : "";
            var blobs = string.Concat(names.Take(PageSize).Select(n => $"<Blob><Name>{n}</Name></Blob>"));
            return new HttpResponseMessage { Content = new StringContent($"<?xml version=\"1.0\"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>") };
        }

        private HttpResponseMessage Refuse(HttpStatusCode status, string why)
        {
            Refused.Add(why);
            return new HttpResponseMessage(status);
        }
    }
}
