using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Runs a real nginx in front of one fake endpoint: over TLS with an untrusted certificate, and over plain http.</summary>
public sealed class Nginx : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hakit-nginx-");
    private readonly X509Certificate2 _certificate = SelfSigned();
    private Process? _process;

    public static string? Path { get; } = new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx" }.FirstOrDefault(File.Exists);

    /// <summary>Gets the fake endpoint behind nginx.</summary>
    public FakeAiServer Behind { get; private set; } = null!;

    public Uri Plain { get; private set; } = null!;

    public Uri Secure { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Behind = await FakeAiServer.StartAsync();
        if (Path is null)
            return;
        var (plain, secure) = (FreePort.Take(), FreePort.Take());
        (Plain, Secure) = (new($"http://127.0.0.1:{plain}/v1"), new($"https://127.0.0.1:{secure}/v1"));
        await File.WriteAllTextAsync(In("cert.pem"), _certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(In("key.pem"), _certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(In("nginx.conf"), $$"""
            daemon off;
            master_process off;
            pid {{In("pid")}};
            error_log stderr crit;
            events { }
            http {
                access_log off;
                client_body_temp_path {{In("body")}};
                proxy_temp_path {{In("proxy")}};
                fastcgi_temp_path {{In("fastcgi")}};
                uwsgi_temp_path {{In("uwsgi")}};
                scgi_temp_path {{In("scgi")}};
                server {
                    listen 127.0.0.1:{{plain}};
                    listen 127.0.0.1:{{secure}} ssl http2;
                    ssl_certificate {{In("cert.pem")}};
                    ssl_certificate_key {{In("key.pem")}};
                    location / {
                        proxy_pass {{Behind.Address}};
                        proxy_http_version 1.1;
                        proxy_buffering off;
                        proxy_read_timeout 1s;
                    }
                }
            }
            """);
        _process = Process.Start(new ProcessStartInfo(Path, ["-e", "stderr", "-p", _folder.FullName, "-c", In("nginx.conf")]) { RedirectStandardError = true })!;
        await UntilItListensAsync(plain);
    }

    /// <summary>Creates connections that trust the certificate, as an application with its own certificate authority has them.</summary>
    public SocketsHttpHandler Trusting() => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { _certificate }, RevocationMode = X509RevocationMode.NoCheck },
        },
    };

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        await Behind.DisposeAsync();
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }

    private string In(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private async Task UntilItListensAsync(int port)
    {
        while (true)
        {
            if (_process!.HasExited)
                throw new InvalidOperationException("nginx ended: " + await _process.StandardError.ReadToEndAsync());
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(5);
            }
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
