using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests that a key in a wrong place appears in no message and no fault.</summary>
public sealed class SecretTests
{
    private const string Key = "sk-proj-0123456789abcdef";

    [Theory]
    [InlineData(Key + "\n")]
    [InlineData(" " + Key)]
    [InlineData("Bearer " + Key)]
    [InlineData(Key)]
    public void A_key_in_the_place_of_the_name_is_in_no_message(string name)
    {
        var options = new EndpointPoolOptions();
        options.Endpoints.Add(new EndpointOptions
        {
            Name = name,
            Address = "localhost",
            Tier = -1,
            Weight = -1,
            ContextWindow = -1,
            InputTokenPrice = -1,
            Zone = " ",
            Limits = new LimitOptions { MaxConcurrency = -1 },
            AttemptTimeout = new() { Timeout = TimeSpan.FromHours(9) },
            Headers = { ["bad header"] = "x" },
            Credential = "",
        });
        options.Endpoints.Add(new EndpointOptions { Name = name, Address = "http://localhost" });
        var mistakes = options.Validate("p");
        mistakes.Should().HaveCountGreaterThan(8).And.NotContain(static m => m.Contains("0123456789", StringComparison.Ordinal));
        mistakes.Should().Contain(static m => m.Contains("Endpoints:0:Name ", StringComparison.Ordinal) && m.Contains("begins as a key does", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Key + "," + Key)]
    [InlineData("gpt-5," + Key)]
    [InlineData(" " + Key)]
    [InlineData(Key)]
    public void A_key_in_the_place_of_the_model_is_in_no_message(string model)
    {
        var options = new EndpointPoolOptions();
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://localhost", Model = model });
        var mistakes = options.Validate("p");
        mistakes.Should().NotContain(static m => m.Contains("0123456789", StringComparison.Ordinal));
        mistakes.Should().Contain(static m => m.Contains("Endpoints:0:Model of 'a' ", StringComparison.Ordinal) && m.Contains("begins as a key does", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("azure-west-europe-gpt-5-mini-2")]
    [InlineData("openai")]
    public void A_usual_name_is_in_the_messages_about_its_endpoint(string name)
    {
        var options = new EndpointPoolOptions();
        options.Endpoints.Add(new EndpointOptions { Name = name, Address = "http://localhost", Tier = -1 });
        options.Validate("p").Should().ContainSingle().Which.Should().Contain($"Tier of '{name}' is -1");
    }

    [Theory]
    [InlineData("first")]
    [InlineData("second")]
    public void Every_credential_in_a_query_is_a_secret(string code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://a.test/v1?key=first-open-sesame&model=m&sig=second-open-sesame");
        CredentialNames.Default.HasPart(request, code).Should().BeTrue();
        CredentialNames.Default.HasPart(request, "model").Should().BeFalse();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_key_that_a_reload_replaces_during_an_attempt_is_still_the_secret_of_this_attempt()
    {
        var time = new ManualTimeProvider();
        await using var pool = TestPool.Create(time, 1, static o => o.Endpoints[0].Credential = "open-sesame");
        var asked = new TaskCompletionSource<string>();
        var call = pool.ExecuteWithDetailAsync(new RequestProfile { MayRepeat = false }, asked, static (attempt, asked, _) =>
        {
            attempt.ReportOperation("chat");
            return new ValueTask<string>(asked.Task);
        }, CancellationToken.None).AsTask();
        var changed = new EndpointPoolOptions { Seed = 1 };
        changed.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9000/v1", Credential = "another" });
        pool.Update(changed);
        asked.SetException(new EndpointFaultException("a", new Fault(FaultKind.ServerError) { Code = "open-sesame" }));
        await FluentActions.Awaiting(() => call).Should().ThrowAsync<Exception>();
        pool.Explain(RequestProfile.Default)[0].Health.Cause!.Code.Should().BeNull();
    }
}
