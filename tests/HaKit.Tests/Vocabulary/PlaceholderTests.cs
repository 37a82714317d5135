using FsCheck;
using FsCheck.Fluent;

namespace HaKit.Tests.Vocabulary;

/// <summary>A placeholder that was copied from a page is distinguished from a real key, host or name.</summary>
public sealed class PlaceholderTests
{
    public static TheoryData<string> Placeholders =>
    [
        "<key>", "<your key>", "Bearer <key>", "bearer YOUR_API_KEY", "YOUR_API_KEY", "YOUR-OPENAI-API-KEY", "your-api-key", "your api key here", "sk-your-key", "yourapikey", "changeme",
        "CHANGE_ME", "change-me-please", "ReplaceMe", "replace-with-your-key", "REPLACE_WITH_KEY", "insert-key-here", "sk-...", "sk-proj-...", "...", "xxx", "XXXXXXXX",
        "sk-xxxxxxxxxxxxxxxx", "sk-ant-api03-xxxx", "********", "${OPENAI_API_KEY}", "$(OpenAIKey)", "%OPENAI_API_KEY%", "%OpenAIKey%", "%api_key2%", "{{openai-key}}", "#{OpenAIKey}#", "{key}", "OPENAI_API_KEY",
        "ANTHROPIC_AUTH_TOKEN", "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/key)", "TODO", "placeholder", "null", "undefined",
    ];

    [Theory]
    [MemberData(nameof(Placeholders))]
    public void A_placeholder_in_place_of_a_key_is_recognised(string text) => Placeholder.IsSecret(text).Should().BeTrue();

    [Theory]
    [InlineData("sk-proj-Ab3dEf6hIj9kLm2nOp5q")]
    [InlineData("sk-ant-api03-Ab3dEf6hIj9kLm2nOp5q-xxx1")]
    [InlineData("AIzaSyA-your1key_2")]
    [InlineData("k")]
    [InlineData("EMPTY")]
    [InlineData("none")]
    [InlineData("dummy")]
    [InlineData("secret")]
    [InlineData("test-key")]
    [InlineData("Bearer k")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln")]
    [InlineData("xx")]
    [InlineData("of the vault")]
    [InlineData("enter-sandman")]
    [InlineData("change-of-plans")]
    [InlineData("we-were-here")]
    [InlineData("p{4}ss<9>word")]
    [InlineData("%EEmpRdfSmW9zmf9WvHBuG1%")]
    [InlineData("{6F9619FF-8B86-D011-B42D-00C04FC964FF}")]
    [InlineData("""{"id":"a","secret":"b"}""")]
    public void A_key_is_no_placeholder(string text) => Placeholder.IsSecret(text).Should().BeFalse();

    [Theory]
    [InlineData("x-portkey-config", """{"strategy":{"mode":"fallback"},"targets":[{"virtual_key":"a"}]}""")]
    [InlineData("x-portkey-metadata", """{"_user":"batch"}""")]
    [InlineData("User-Agent", "app/1.0 (<mail@app.example>)")]
    [InlineData("X-Tenant", "{6F9619FF-8B86-D011-B42D-00C04FC964FF}")]
    public void A_header_may_have_json_and_braces(string header, string value) =>
        new EndpointOptions { Name = "a", Address = "https://a.example/v1", Headers = { [header] = value } }.Validate("P").Should().BeEmpty();

    [Fact]
    public void No_random_key_is_taken_for_a_placeholder()
    {
        const string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=!#$%&*";
        var key = Gen.Elements(letters.ToCharArray()).ArrayOf(24).Select(c => new string(c));
        Prop.ForAll(key.ToArbitrary(), k => !Placeholder.IsSecret(k) && !Placeholder.IsSecret("sk-" + k) && !Placeholder.IsSecret("Bearer " + k)).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Theory]
    [InlineData("https://<resource>.openai.azure.com/openai/v1", true)]
    [InlineData("https://YOUR-RESOURCE.openai.azure.com", true)]
    [InlineData("https://your-resource-name.openai.azure.com", true)]
    [InlineData("https://YOUR_RESOURCE_NAME.openai.azure.com", true)]
    [InlineData("https://{resource}.openai.azure.com", true)]
    [InlineData("https://${RESOURCE}.openai.azure.com", true)]
    [InlineData("https://xxx.openai.azure.com", true)]
    [InlineData("https://a.openai.azure.com/openai/deployments/<deployment>", true)]
    [InlineData("https://a.openai.azure.com/openai/deployments/YOUR-DEPLOYMENT", true)]
    [InlineData("https://a.openai.azure.com/openai/deployments/{model}?api-version=<version>", true)]
    [InlineData("http://your-server:8000/v1", true)]
    [InlineData("https://a.openai.azure.com/openai/deployments/{model}?api-version=2024-10-21", false)]
    [InlineData("https://api.openai.com/v1", false)]
    [InlineData("https://yourcompany.example/v1", false)]
    [InlineData("https://your-surprise.example/v1", false)]
    [InlineData("http://[::1]:8000/v1", false)]
    [InlineData("https+http://models/v1", false)]
    public void A_placeholder_in_an_address_is_recognised(string address, bool isPlaceholder) => Placeholder.IsInAddress(address).Should().Be(isPlaceholder);

    [Theory]
    [InlineData("<deployment>", true)]
    [InlineData("YOUR_DEPLOYMENT_NAME", true)]
    [InlineData("your-model", true)]
    [InlineData("${DEPLOYMENT}", true)]
    [InlineData("{deployment}", true)]
    [InlineData("<img src=x onerror=alert(1)>`${1}</script>", false)]
    [InlineData("our-gpt-4o", false)]
    [InlineData("meta-llama/Llama-3.3-70B", false)]
    [InlineData("any", false)]
    public void A_placeholder_in_place_of_a_model_is_recognised(string name, bool isPlaceholder) => Placeholder.IsName(name).Should().Be(isPlaceholder);

    [Theory]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("authorization", "Bearer <key>")]
    [InlineData("api-key", "YOUR_API_KEY")]
    [InlineData("x-api-key", "changeme")]
    [InlineData("x-goog-api-key", "sk-...")]
    [InlineData("Ocp-Apim-Subscription-Key", "xxx")]
    [InlineData("X-Auth-Token", "")]
    public void A_header_for_a_key_needs_a_key(string header, string value)
    {
        var endpoint = new EndpointOptions { Name = "a", Address = "https://a.example/v1", Headers = { [header] = value } };
        endpoint.Validate("P").Should().ContainSingle().Which.Should().StartWith($"P:Headers of 'a' has the header '{header}'").And.Contain("Give the key itself");
    }
}
