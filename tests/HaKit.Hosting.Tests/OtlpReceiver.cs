using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.Hosting.Tests;

/// <summary>
/// Receives metrics over OTLP/HTTP on loopback like OpenTelemetry's collector. Reads the protocol buffers of opentelemetry/proto/metrics/v1, and names the
/// series like the collector's Prometheus exporter: a unit becomes a suffix unless it is in braces, a gauge without a unit becomes a ratio, and a monotonic sum
/// becomes a total.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<byte[]> _received;

    private OtlpReceiver(WebApplication app, ConcurrentQueue<byte[]> received)
    {
        (_app, _received) = (app, received);
        Address = new Uri(new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()), "v1/metrics");
    }

    public Uri Address { get; }

    public static async Task<OtlpReceiver> StartAsync()
    {
        var received = new ConcurrentQueue<byte[]>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.Enqueue(body.ToArray());
            context.Response.ContentType = "application/x-protobuf";
        });
        await app.StartAsync();
        return new OtlpReceiver(app, received);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Gets all received series.</summary>
    public IReadOnlyList<Series> Series()
    {
        var all = new Dictionary<string, Series>();
        var metrics = _received.SelectMany(request => Fields(request, 1)).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2));
        foreach (var series in metrics.SelectMany(Read))
            all[$"{series.Metric} {string.Join(',', series.Labels)}"] = series;
        return [.. all.Values];
    }

    private static IEnumerable<Series> Read(byte[] metric)
    {
        var name = Encoding.UTF8.GetString(Fields(metric, 1).Single());
        var unit = Encoding.UTF8.GetString(Fields(metric, 3).SingleOrDefault([]));
        foreach (var point in Fields(metric, 5).SelectMany(gauge => Fields(gauge, 1)))
            yield return new Series(NameOf(name, unit, isGauge: true), Labels(point, 7), 0);
        foreach (var sum in Fields(metric, 7))
        {
            var total = NameOf(name, unit, isGauge: false) + (Numbers(sum, 3).SingleOrDefault() == 1 ? "_total" : "");
            foreach (var point in Fields(sum, 1))
                yield return new Series(total, Labels(point, 7), 0);
        }
        var bare = NameOf(name, unit, isGauge: false);
        foreach (var point in Fields(metric, 9).SelectMany(histogram => Fields(histogram, 1)))
        {
            var labels = Labels(point, 9);
            yield return new Series(bare + "_sum", labels, 0);
            yield return new Series(bare + "_count", labels, 0);
            var packed = Fields(point, 7).Single();
            for (var at = 0; at < packed.Length; at += 8)
                yield return new Series(bare + "_bucket", With(labels, BitConverter.ToDouble(packed, at).ToString(CultureInfo.InvariantCulture)), 0);
            yield return new Series(bare + "_bucket", With(labels, "+Inf"), 0);
        }
    }

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> labels, string bound) => new(labels) { ["le"] = bound };

    private static string NameOf(string name, string unit, bool isGauge)
    {
        var bare = name.Replace('.', '_');
        var suffix = unit switch
        {
            "" => "",
            "1" => isGauge ? "_ratio" : "",
            "s" => "_seconds",
            "By" => "_bytes",
            _ when unit.Contains('{') => "",
            _ => "_" + unit,
        };
        return bare.EndsWith(suffix, StringComparison.Ordinal) ? bare : bare + suffix;
    }

    private static Dictionary<string, string> Labels(byte[] point, int field)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Fields(point, field))
        {
            var value = Fields(pair, 2).Single();
            labels[Encoding.UTF8.GetString(Fields(pair, 1).Single()).Replace('.', '_')] = Fields(value, 1).Select(Encoding.UTF8.GetString).FirstOrDefault() ?? Numbers(value, 3).Concat(Numbers(value, 2)).First().ToString(CultureInfo.InvariantCulture);
        }
        return labels;
    }

    private static IEnumerable<byte[]> Fields(byte[] message, int field) => All(message).Where(f => f.Field == field && f.Bytes is not null).Select(f => f.Bytes!);

    private static IEnumerable<long> Numbers(byte[] message, int field) => All(message).Where(f => f.Field == field && f.Bytes is null).Select(f => f.Number);

    // The wire format of protocol buffers: a tag with a field's number and kind, then a number or a length and bytes.
    private static List<(int Field, long Number, byte[]? Bytes)> All(byte[] message)
    {
        var fields = new List<(int, long, byte[]?)>();
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint(message, ref at);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    fields.Add((field, Varint(message, ref at), null));
                    break;
                case 1:
                    fields.Add((field, BitConverter.ToInt64(message, at), null));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add((field, 0, message[at..(at + length)]));
                    at += length;
                    break;
                case 5:
                    fields.Add((field, BitConverter.ToInt32(message, at), null));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException("No protocol buffer.");
            }
        }
        return fields;
    }

    private static long Varint(byte[] message, ref int at)
    {
        long value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
