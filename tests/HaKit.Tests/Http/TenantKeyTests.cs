using System.Net;
using System.Text;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Tests that the wrong key of one tenant does not take the primary endpoint from the other tenants.</summary>
public sealed class TenantKeyTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(2)]
    public async Task Calls_with_a_wrong_key_do_not_move_calls_with_good_keys_to_the_standby(int everyNth)
    {
        await using var http = new HttpPool(2, inner: new Tenants(), configure: static o =>
        {
            o.Endpoints[1].Tier = 1;
            o.Http.ForwardCallerCredential = true;
        });
        var served = 0;
        for (var i = 0; i < 600; i++)
        {
            var isBad = i % everyNth == 0;
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
            request.Headers.TryAddWithoutValidation("Authorization", isBad ? "Bearer bad-key" : $"Bearer good-key-{i % 7}");
            try
            {
                using var response = http.Time.RunUntil(http.Client.SendAsync(request, TestContext.Current.CancellationToken));
                served += !isBad && response.StatusCode == HttpStatusCode.OK ? 1 : 0;
            }
            catch (NoEndpointAvailableException) when (isBad)
            {
            }

            http.Time.Advance(TimeSpan.FromSeconds(0.1));
        }

        var good = http.Sent.Where(static r => r.Headers.Authorization!.Parameter!.StartsWith("good", StringComparison.Ordinal)).ToArray();
        served.Should().Be(600 - 600 / everyNth);
        // While half of the calls have a wrong key, the primary endpoint is in its cooldown half of the time.
        good.Count(static r => r.RequestUri!.Port == 9000).Should().BeGreaterThan((int)(good.Length * (everyNth > 2 ? 0.9 : 0.4)));
    }

    private sealed class Tenants : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isBad = request.Headers.Authorization?.Parameter?.StartsWith("bad", StringComparison.Ordinal) == true;
            var text = isBad
                ? """{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}"""
                : """{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}""";
            return Task.FromResult(new HttpResponseMessage(isBad ? HttpStatusCode.Unauthorized : HttpStatusCode.OK) { Content = new StringContent(text, Encoding.UTF8, "application/json") });
        }
    }
}
