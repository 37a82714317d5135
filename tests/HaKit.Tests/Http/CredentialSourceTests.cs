using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using HaKit.Faults;

namespace HaKit.Tests.Http;

/// <summary>If the application's source of credentials fails, no request was sent, so the call moves to another endpoint, whatever the source throws.</summary>
public sealed class CredentialSourceTests
{
    public static TheoryData<Exception, FaultKind> Failures => new()
    {
        { new TimeoutException("the key vault is slow"), FaultKind.AttemptTimeout },
        { new OperationCanceledException("the key vault's own time limit"), FaultKind.AttemptTimeout },
        { new HttpRequestException(HttpRequestError.ConnectionError, "no route", new SocketException((int)SocketError.ConnectionRefused)), FaultKind.ConnectFailed },
        { new HttpRequestException(HttpRequestError.NameResolutionError), FaultKind.DnsFailed },
        { new HttpRequestException(HttpRequestError.UserAuthenticationError), FaultKind.Unknown },
        { new HttpRequestException("403 (Forbidden)", null, HttpStatusCode.Forbidden), FaultKind.Unknown },
        { new FileNotFoundException("no key file", "/mnt/keys/a"), FaultKind.Unknown },
        { new DirectoryNotFoundException(), FaultKind.Unknown },
        { new ArgumentException("no such customer"), FaultKind.Unknown },
        { new KeyNotFoundException(), FaultKind.Unknown },
        { new JsonException(), FaultKind.Unknown },
        { new NotSupportedException(), FaultKind.Unknown },
        { new InvalidOperationException(), FaultKind.Unknown },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Failures))]
    public async Task A_call_moves_on_even_if_it_must_not_be_repeated(Exception failure, FaultKind kind)
    {
        await using var http = FailingAtA(2, failure);
        using var request = NewRequest(new() { MayRepeat = false });

        using var response = await http.Client.SendAsync(request, TestContext.Current.CancellationToken);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Endpoint.Should().Be("b");
        detail.PerhapsBilled.Should().Be(0, "nothing was sent");
        var fault = detail.Attempts[0].Fault!;
        (fault.Kind, fault.Code, fault.Applied, fault.Blame).Should().Be((kind, "credential_source_failed", FaultApplied.NotSent, FaultBlame.Endpoint));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Failures))]
    public async Task Without_another_endpoint_the_exception_names_the_source_and_holds_its_exception(Exception failure, FaultKind kind)
    {
        await using var http = FailingAtA(1, failure);
        using var request = NewRequest(new() { MaxWait = TimeSpan.Zero });

        var call = () => http.Client.SendAsync(request, TestContext.Current.CancellationToken);

        var thrown = (await call.Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        thrown.Message.Should().Contain($"{kind} (credential_source_failed)");
        thrown.InnerException.Should().BeSameAs(failure);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_fault_that_the_source_throws_itself_stays()
    {
        await using var http = FailingAtA(2, new EndpointFaultException("a", new Fault(FaultKind.Overloaded) { Code = "mine" }));
        using var request = NewRequest(RequestProfile.Default);

        using var response = await http.Client.SendAsync(request, TestContext.Current.CancellationToken);

        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Attempts[0].Fault!.Code.Should().Be("mine");
    }

    private static HttpPool FailingAtA(int endpoints, Exception failure) =>
        new(endpoints, o => o.Endpoints.Skip(1).ToList().ForEach(static e => e.Tier = 1), p => p.Credential = (endpoint, _) => endpoint.Name == "a" ? throw failure : new("key of b"));

    private static HttpRequestMessage NewRequest(RequestProfile profile)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        request.Options.Set(EndpointPoolHandler.ProfileKey, profile);
        return request;
    }
}
