using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Tool.Tests.Drills;

/// <summary>
/// Runs a drill of real proxies with the sample configurations of the repository. The drill finds the faults that these proxies do not handle.
/// </summary>
public sealed class ProxyDrillTests
{
    private static readonly string[] Places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

    [Fact(Timeout = 180_000)]
    public async Task The_drill_finds_what_nginx_does_not_fail_over_and_an_assertion_fails()
    {
        var nginx = Array.Find(Places, File.Exists);
        Assert.SkipUnless(nginx is not null, "nginx is not installed.");
        var (folder, ports) = (Directory.CreateTempSubdirectory("hakit-nginx-").FullName, FreePorts());
        var configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, Configured("nginx.conf", ports), TestContext.Current.CancellationToken);
        using var proxy = Process.Start(new ProcessStartInfo(nginx!, ["-c", configuration, "-p", folder]) { RedirectStandardError = true })!;
        try
        {
            (await MissesAsync(folder, ports)).Should().NotContain("MISSED error-500", "it sends a 500 to the next upstream")
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

    [Fact(Timeout = 180_000)]
    public async Task The_drill_finds_that_yarp_sends_nothing_a_second_time_and_an_assertion_fails()
    {
        var (folder, ports) = (Directory.CreateTempSubdirectory("hakit-yarp-").FullName, FreePorts());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Configured("yarp.json", ports))));
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
        await using var proxy = builder.Build();
        proxy.MapReverseProxy();
        await proxy.StartAsync(TestContext.Current.CancellationToken);
        try
        {
            (await MissesAsync(folder, ports)).Should().Contain("MISSED error-500", "it hands a 500 to the caller")
                .And.Contain("MISSED unauthorized", "it hands a 401 to the caller")
                .And.Contain("MISSED cut", "it cannot repeat what it has begun to deliver");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> MissesAsync(string folder, int[] ports)
    {
        var assertion = Path.Combine(folder, "assert.json");
        await File.WriteAllTextAsync(assertion, """{ "success": 1 }""", TestContext.Current.CancellationToken);
        var (exitCode, output, error) = await ToolRun.RunAsync(
            "drill", "--target", $"http://127.0.0.1:{ports[3]}/v1", "--upstreams", $"{ports[0]},{ports[1]},{ports[2]}",
            "--faults", "error-500,unauthorized,cut", "--length", "1s", "--rate", "20", "--assert", assertion);
        error.Should().BeEmpty();
        exitCode.Should().Be(HakitTool.Bad);
        return output;
    }

    /// <summary>Gets the sample configuration with these ports: three upstreams, and the proxy itself.</summary>
    private static string Configured(string file, int[] ports)
    {
        var configuration = File.ReadAllText(Path.Combine(Repository.Root, "bench", "HaKit.Drill", file)).Replace("127.0.0.1:8080", $"127.0.0.1:{ports[3]}", StringComparison.Ordinal);
        for (var i = 0; i < 3; i++)
            configuration = configuration.Replace($"127.0.0.1:{9101 + i}", $"127.0.0.1:{ports[i]}", StringComparison.Ordinal);
        return configuration;
    }

    private static int[] FreePorts() => [FreePort.Take(), FreePort.Take(), FreePort.Take(), FreePort.Take()];
}
