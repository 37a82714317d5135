using System.Reflection;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.AspNetCore.Tests;

/// <summary>A secret in a wrong setting, in a setting's name or in an address is shown at start-up neither by the exception nor by the log.</summary>
public sealed class SecretSettingTests
{
    private const string Secret = "sk-planted-4f9a81c2d7e6";

    /// <summary>All settings whose value has to be converted: numbers, times, switches and choices.</summary>
    public static TheoryData<string> Converted => [.. Settings(typeof(EndpointPoolOptions), "chat").Where(s => s.Type.IsValueType).Select(s => s.Path)];

    [Theory]
    [MemberData(nameof(Converted))]
    public void A_value_that_cannot_be_converted_is_not_shown(string setting) => Told((setting, Secret)).Should().Contain(setting).And.NotContain("planted");

    [Theory]
    [InlineData("chat:Endpoints:0:Address", "http://u:" + Secret + "@127.0.0.1:port/v1")]
    [InlineData("chat:Endpoints:0:Address", "ftp://u:" + Secret + "@127.0.0.1/v1?key=" + Secret)]
    [InlineData("chat:Endpoints:0:Address", Secret)]
    [InlineData("chat:Endpoints:0:Address", "http://127.0.0.1/v1?key=" + Secret + "#" + Secret)]
    [InlineData("chat:Origin", "http://u:" + Secret + "@127.0.0.1:port/v1")]
    [InlineData("chat:Origin", Secret)]
    [InlineData("chat:Endpoints:0:Credential", Secret + "\r\nX-Admin: 1")]
    [InlineData("chat:Endpoints:0:Headers:Authorization", "Bearer " + Secret + "\n")]
    [InlineData("chat:Endpoints:0:Headers:Authorization: Bearer " + Secret, "")]
    [InlineData("chat:Endpoints:0:Headers:" + Secret + " x", "y")]
    [InlineData("chat:Endpoints:0:Credential:" + Secret, "")]
    [InlineData("chat:Endpoints:0:" + Secret, "x")]
    [InlineData("chat:" + Secret, "x")]
    [InlineData("chat:" + Secret + ":Name", "x")]
    [InlineData("chat:Endpoints:0:Limits:" + Secret, "x")]
    [InlineData("chat:AccountLimits", Secret)]
    [InlineData("chat:Endpoints", Secret)]
    [InlineData("chat:Endpoints:0", Secret)]
    [InlineData("chat:Heartbeat", Secret)]
    [InlineData("chat:Endpoints:0:HealthPath", "http://u:" + Secret + "@other.example/")]
    [InlineData("chat:Heartbeat:Path", "http://u:" + Secret + "@other.example/")]
    [InlineData("chat:Sharing:OrderKey", Secret)]
    [InlineData("chat:Endpoints:0:Client", Secret)]
    public void A_secret_in_the_wrong_place_is_not_shown(string setting, string value) => Told((setting, value)).Should().NotContain("planted");

    /// <summary>Gets all texts that the start of a pool with these settings shows.</summary>
    private static string Told((string Name, string Value) setting)
    {
        var settings = new Dictionary<string, string?>
        {
            ["chat:Endpoints:0:Name"] = "a",
            ["chat:Endpoints:0:Address"] = "http://127.0.0.1:9/v1",
            ["chat:Heartbeat:Enabled"] = "false",
            [setting.Name] = setting.Value,
        };
        var logs = new LogRecorder();
        var services = new ServiceCollection().AddLogging(l => l.SetMinimumLevel(LogLevel.Trace).AddProvider(logs));
        services.AddHaEndpointPool("chat", new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("chat"));
        var told = "";
        try
        {
            using var provider = services.BuildServiceProvider();
            var pool = provider.GetRequiredService<EndpointPool>();
            pool.CreateHttpClient().Dispose();
            told = $"{string.Join('|', pool.Endpoints)} {string.Join('|', pool.Explain(RequestProfile.Default))} {pool.GetStatus()}";
        }
        catch (Exception failure)
        {
            told = failure.ToString();
        }
        return told + string.Join('|', logs.Entries.Select(e => $"{e.Message} {string.Join('|', e.Values)} {e.Exception}"));
    }

    private static IEnumerable<(string Path, Type Type)> Settings(Type type, string path)
    {
        if (type.IsGenericType && type.Name.StartsWith("IList", StringComparison.Ordinal))
            return Settings(type.GetGenericArguments()[0], path + ":0");
        if (type.IsGenericType && type.Name.StartsWith("IDictionary", StringComparison.Ordinal))
            return Settings(type.GetGenericArguments()[1], path + ":any");
        return type.Namespace!.StartsWith("HaKit", StringComparison.Ordinal) && type.IsClass
            ? type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(p => Settings(p.PropertyType, $"{path}:{p.Name}"))
            : [(path, type)];
    }
}
