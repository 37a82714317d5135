using System.Net;
using System.Net.Sockets;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Continuity.Tests;

/// <summary>Tests that only <see cref="VaultOptions.OperationTimeout"/> limits the time of an operation on an object.</summary>
public sealed class TimeLimitTests : VaultTestBase
{
    private const string Address = "https://account.blob.test/box?sv=2021-12-02&sig=planted";

    [Theory(Timeout = Limit)]
    [InlineData("put s/")] // the manifest, which may be much larger than all other objects
    [InlineData("list ")] // a list of many objects has many pages
    [InlineData("get s/")]
    public async Task One_large_object_may_take_the_whole_time_although_all_others_are_quick(string slow)
    {
        var time = new ManualTimeProvider();
        var destination = new SlowDestination(time);
        await using var vault = Make([("a", destination)], configure: static o => o.OperationTimeout = TimeSpan.FromMinutes(10), time: time);
        var content = new byte[40 << 20];
        new Random(1).NextBytes(content);
        Directory.CreateDirectory(Source);
        await File.WriteAllBytesAsync(Path.Combine(Source, "large"), content, Token);
        await CompletedAsync(vault.SaveAsync(Source, cancellationToken: Token), time);
        await CompletedAsync(vault.CheckAsync(Token), time); // the pool has learned the times of 100 operations
        Write("small", "small");
        destination.Slow = slow;

        var saved = await CompletedAsync(vault.SaveAsync(Source, cancellationToken: Token), time);

        saved.Number.Should().Be(2);
        saved.Missed.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task The_client_of_the_container_has_no_limit_of_its_own_and_no_handlers_of_all_clients()
    {
        var services = new ServiceCollection();
        services.ConfigureHttpClientDefaults(static c =>
        {
            c.ConfigureHttpClient(static client => client.Timeout = TimeSpan.FromMilliseconds(50));
            c.ConfigurePrimaryHttpMessageHandler(static () => new SlowServer());
            c.AddStandardResilienceHandler(static o =>
            {
                o.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(50);
                o.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(200);
                o.CircuitBreaker.SamplingDuration = TimeSpan.FromSeconds(1);
            });
        });
        services.AddHaVault("state", static o =>
        {
            o.Destinations.Add(new VaultDestinationOptions { Name = "blob", BlobSas = Address });
            o.Keys["1"] = VaultWork.Key;
        });
        await using var provider = services.BuildServiceProvider();
        var vault = provider.GetRequiredKeyedService<Vault>("state");

        var failure = (await vault.Invoking(v => v.ListAsync(Token)).Should().ThrowAsync<VaultException>()).Which.Message;

        failure.Should().StartWith("There is no vault", "the list was read to its end");
    }

    [Fact(Timeout = Limit)]
    public async Task The_connections_that_a_vault_makes_are_closed_with_the_vault()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var options = new VaultOptions();
        options.Keys["1"] = Key1;
        options.Destinations.Add(new VaultDestinationOptions { Name = "blob", BlobSas = $"http://{listener.LocalEndpoint}/box?sig=planted" });
        var vault = Vault.Create("state", options);
        var list = vault.Invoking(v => v.ListAsync(Token)).Should().ThrowAsync<VaultException>();
        using var connection = await listener.AcceptTcpClientAsync(Token);
        await using var stream = connection.GetStream();
        var received = new byte[4096];
        (await stream.ReadAsync(received, Token)).Should().BePositive();
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 49\r\n\r\n<EnumerationResults><Blobs/></EnumerationResults>"u8.ToArray(), Token);
        (await list).WithMessage("There is no vault*");

        await vault.DisposeAsync();

        // A pool of connections closes an idle connection after 1 min anyway.
        (await stream.ReadAsync(received, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Token)).Should().Be(0);
    }

    /// <summary>Answers after 300 ms that the container is empty.</summary>
    private sealed class SlowServer : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(300, cancellationToken);
            return new HttpResponseMessage { Content = new StringContent("<EnumerationResults><Blobs/></EnumerationResults>") };
        }
    }

    /// <summary>A destination in memory, of which some operations take 8 min and all others 20 ms.</summary>
    private sealed class SlowDestination(ManualTimeProvider time) : IVaultDestination
    {
        private readonly MemoryDestination _memory = new();

        public string? Slow { get; set; }

        public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await TakeAsync($"put {name}", cancellationToken);
            return await _memory.PutIfAbsentAsync(name, content, cancellationToken);
        }

        public async ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken)
        {
            await TakeAsync($"get {name}", cancellationToken);
            return await _memory.GetAsync(name, cancellationToken);
        }

        public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
        {
            await TakeAsync($"list {prefix}", cancellationToken);
            return await _memory.ListAsync(prefix, cancellationToken);
        }

        public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
        {
            await TakeAsync($"delete {name}", cancellationToken);
            await _memory.DeleteAsync(name, cancellationToken);
        }

        private Task TakeAsync(string operation, CancellationToken cancellationToken) =>
            Task.Delay(Slow is { } slow && operation.StartsWith(slow, StringComparison.Ordinal) ? TimeSpan.FromMinutes(8) : TimeSpan.FromMilliseconds(20), time, cancellationToken);
    }
}
