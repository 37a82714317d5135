using System.Text;
using HaKit.Peers;
using HaKit.Tests.Faults;

namespace HaKit.Tests.Fuzz;

/// <summary>The inputs with which the search begins: recorded answers, and one stream of each framing and dialect.</summary>
internal static class FuzzSeeds
{
    private static readonly string[] s_streams =
    [
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n",
        "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9}}}\r\n\r\n: ping\r\n\r\nevent: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\r\n\r\nevent: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\n,\r\n{\"candidates\":[{\"finishReason\":\"STOP\"}]}]",
        "{\"model\":\"m\",\"message\":{\"content\":\"Hi\"},\"done\":false}\n{\"model\":\"m\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}\n",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
        "id: 1\rretry: 5\rdata: a\rdata: b\r\rdata: {\"error\":{\"message\":\"x\",\"code\":429}}\r\r",
        "data: {\"choices\":[{\"delta\":{\"content\":\"torn",
    ];

    private static readonly string[] s_messages =
    [
        "Error code: 429 - {'error': {'message': 'Rate limit reached. Please try again in 5.289s.', 'code': 'rate_limit_exceeded'}}",
        "HTTP 401 (invalid_request_error: invalid_api_key)\n\nIncorrect API key provided",
        "Service request failed.\nStatus: 503 (Service Unavailable)\n\nContent:\n{\"error\":{\"code\":\"NoCapacity\"}}\n\nHeaders:\nRetry-After: 5\n",
        "Status Code: 529\n{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}",
    ];

    public static IEnumerable<byte[]> Of(string target) => target switch
    {
        "answer" => Fixture.All.Select(Answer),
        "stream" => s_streams.SelectMany(static (s, i) => new[] { Bytes([7, (byte)i, (byte)i], s), Bytes([0, 1, 0], s) }),
        "message" => s_messages.Select(static (m, i) => Bytes([(byte)i, (byte)i], m)),
        "outline" => s_streams.Select(static s => Bytes([], s[(s.IndexOf('{', StringComparison.Ordinal) is var at and >= 0 ? at : 0)..])).Concat(Fixture.All.Select(static f => f.Body)),
        "fact" => [Bytes([], PeerFactFormat.Identity(new PeerFact
        {
            Kind = PeerFactKind.Opinion, Subject = "e1", Replica = "one", Version = 1, Length = TimeSpan.FromSeconds(30), Left = TimeSpan.FromSeconds(30), Opinion = PeerOpinion.Serves, Fingerprint = "f",
        }))],
        _ => [Bytes([], "HaKitRec\u0001\0")],
    };

    private static byte[] Answer(Fixture fixture)
    {
        var headers = string.Concat(fixture.Headers.Select(static h => $"{h.Name}: {h.Value}\n"));
        return [.. Bytes([(byte)Math.Max(0, Array.IndexOf(FuzzTargets.Statuses, fixture.Status)), (byte)fixture.Dialect, 1, 1], headers + "\n" + (headers.Length == 0 ? "\n" : "")), .. fixture.Body];
    }

    private static byte[] Bytes(byte[] head, string text) => [.. head, .. Encoding.UTF8.GetBytes(text)];
}
