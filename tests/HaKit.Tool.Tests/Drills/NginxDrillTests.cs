using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace HaKit.Tool.Tests.Drills;

/// <summary>A drill of a real proxy with the sample configuration of the repository finds what that proxy does not do.</summary>
public sealed class NginxDrillTests
{
    private static readonly string[] Places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

    [Fact(Timeout = 180_000)]
    public async Task The_drill_finds_what_nginx_does_not_fail_over_and_an_assertion_fails()
    {
        var nginx = Array.Find(Places, File.Exists);
        Assert.SkipUnless(nginx is not null, "nginx is not installed.");
        var folder = Directory.CreateTempSubdirectory("hakit-nginx-").FullName;
        int[] ports = [FreePort(), FreePort(), FreePort(), FreePort()];
        var configuration = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "bench", "HaKit.Drill", "nginx.conf"), TestContext.Current.CancellationToken);
        configuration = configuration.Replace("127.0.0.1:8080", $"127.0.0.1:{ports[3]}", StringComparison.Ordinal);
        for (var i = 0; i < 3; i++)
            configuration = configuration.Replace($"127.0.0.1:{9101 + i}", $"127.0.0.1:{ports[i]}", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), configuration, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "assert.json"), """{ "success": 1 }""", TestContext.Current.CancellationToken);
        using var proxy = Process.Start(new ProcessStartInfo(nginx!, ["-c", Path.Combine(folder, "nginx.conf"), "-p", folder]) { RedirectStandardError = true })!;
        try
        {
            var (exitCode, output, error) = await ToolRun.RunAsync(
                "drill", "--target", $"http://127.0.0.1:{ports[3]}/v1", "--upstreams", $"{ports[0]},{ports[1]},{ports[2]}",
                "--faults", "error-500,unauthorized,cut", "--length", "1s", "--rate", "20", "--assert", Path.Combine(folder, "assert.json"));

            error.Should().BeEmpty();
            exitCode.Should().Be(HakitTool.Bad);
            output.Should().NotContain("MISSED error-500", "it sends a 500 to the next upstream")
                .And.Contain("MISSED unauthorized", "it hands a 401 to the caller")
                .And.Contain("MISSED cut", "it cannot repeat what it has begun to deliver");
        }
        finally
        {
            proxy.Kill(entireProcessTree: true);
            await proxy.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
