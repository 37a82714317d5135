using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace HaKit.Testing.Wire;

/// <summary>One run of a server, from bind to close. It uses Kestrel without a host, which starts in milliseconds.</summary>
internal sealed class Listener : IHttpApplication<ServerCall>, IDisposable
{
    private readonly Backend _backend;
    private readonly KestrelServer _kestrel;
    private readonly HashSet<ServerCall> _calls = [];
    private readonly Lock _lock = new();
    private bool _isKilled;

    private Listener(Backend backend, IPEndPoint endPoint)
    {
        _backend = backend;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Listen(endPoint);
        // With the smallest buffer a flush waits for the socket. Therefore flushed bytes are not lost by a reset.
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions { MaxWriteBufferSize = 2 }), NullLoggerFactory.Instance);
        _kestrel = new(Options.Create(options), transport, NullLoggerFactory.Instance);
    }

    public int Port { get; private set; }

    public static async Task<Listener> StartAsync(Backend backend, IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var listener = new Listener(backend, endPoint);
        try
        {
            await listener._kestrel.StartAsync(listener, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            listener.Dispose();
            throw;
        }

        var address = listener._kestrel.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        listener.Port = new Uri(address).Port;
        return listener;
    }

    public async Task StopAsync(bool kill, TimeSpan grace)
    {
        // The fake resets the connections before Kestrel does, so that the broken answers are counted as broken by the fake.
        using var enough = new CancellationTokenSource(grace, TimeProvider.System);
        using var tooMuch = new CancellationTokenSource(grace * 2, TimeProvider.System);
        using var registration = enough.Token.UnsafeRegister(static state => ((Listener)state!).Kill(), this);
        var stopped = _kestrel.StopAsync(tooMuch.Token);
        if (kill)
            Kill();
        await stopped.ConfigureAwait(false);
    }

    public void Dispose() => _kestrel.Dispose();

    public ServerCall CreateContext(IFeatureCollection contextFeatures) => new(_backend, new DefaultHttpContext(contextFeatures));

    public async Task ProcessRequestAsync(ServerCall context)
    {
        bool isKilled;
        lock (_lock)
        {
            _calls.Add(context);
            isKilled = _isKilled;
        }

        if (isKilled)
            context.Kill();
        await context.ServeAsync().ConfigureAwait(false);
    }

    public void DisposeContext(ServerCall context, Exception? exception)
    {
        lock (_lock)
            _calls.Remove(context);
    }

    private void Kill()
    {
        ServerCall[] calls;
        lock (_lock)
        {
            _isKilled = true;
            calls = [.. _calls];
        }

        foreach (var call in calls)
            call.Kill();
    }
}
