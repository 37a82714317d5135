using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Tests the reading of the messages of SDK exceptions at the edges of their forms.</summary>
public sealed class SdkMessagesTests
{
    [Theory]
    [InlineData("HTTP 429 ", 429)]
    [InlineData("HTTP 429", 0)]
    [InlineData("HTTP 429\n", 429)]
    [InlineData("HTTP 429\r\n", 429)]
    [InlineData("HTTP 4290", 0)]
    [InlineData("HTTP 42", 0)]
    [InlineData("HTTP 399 x", 0)]
    [InlineData("HTTP 400 x", 400)]
    [InlineData("HTTP 599 x", 599)]
    [InlineData("HTTP 600 x", 0)]
    [InlineData("Status Code: 399", 0)]
    [InlineData("Status Code: 400", 400)]
    [InlineData("Status Code: 599", 599)]
    [InlineData("Status Code: 600", 0)]
    [InlineData("Status Code: OK", 0)]
    [InlineData("Status Code: TooManyRequests\r\n{}", 429)]
    [InlineData("Status Code: Nonsense", 0)]
    [InlineData("Status: 503 (Service Unavailable)", 503)]
    [InlineData("failed\nStatus: 503 (Service Unavailable)", 503)]
    [InlineData("failed with Status: 503 (Service Unavailable)", 0)]
    public void Status_is_read_from_400_to_599(string message, int status) => SdkMessages.StatusOf(message).Should().Be(status);

    [Theory]
    [InlineData("HTTP 429 (a: b)\n\nTry later.\n\nBye.", "Try later.\n\nBye.")]
    [InlineData("HTTP 429 (a: b)\n\n", "")]
    [InlineData("HTTP 429 (a: b)", "HTTP 429 (a: b)")]
    [InlineData("Service request failed.\n\nStatus: 429 (Too Many Requests)", "Service request failed.\n\nStatus: 429 (Too Many Requests)")]
    public void Message_of_the_server_is_the_text_after_the_first_paragraph_of_OpenAI(string message, string words) =>
        SdkMessages.ServerMessageOf(message).ToString().Should().Be(words);

    [Theory]
    [InlineData("HTTP 429 (tokens: rate_limit_exceeded)", "tokens", "rate_limit_exceeded")]
    [InlineData("HTTP 404 (: DeploymentNotFound)", "", "DeploymentNotFound")]
    [InlineData("HTTP 400 (content_filter)", "", "content_filter")]
    [InlineData("HTTP 400 (content_filter", "", "")]
    [InlineData("HTTP 400: content_filter)", "", "")]
    [InlineData("HTTP 400 )content_filter(", "", "")]
    [InlineData("HTTP 400\n(content_filter)", "", "")]
    [InlineData("failed\nErrorCode: content_filter", "", "content_filter")]
    [InlineData("failed\r\nErrorCode: content_filter\r\nmore", "", "content_filter")]
    [InlineData("failed\nErrorCode: \ncontent_filter", "", "")]
    [InlineData("failed ErrorCode: content_filter", "", "")]
    [InlineData("ErrorCode: content_filter", "", "")]
    public void Type_and_code_are_read_from_their_places(string message, string type, string code)
    {
        var signs = new ErrorSigns(new char[ErrorSigns.WordBuffer], new byte[ErrorSigns.LengthBuffer]);
        SdkMessages.ReadWords(message, ref signs);
        signs.Type.ToString().Should().Be(type);
        signs.Code.ToString().Should().Be(code);
    }

    [Theory]
    [InlineData("HTTP 500 (overloaded_error: x)\n\nBusy.", "kind=Overloaded reach=Model")]
    [InlineData("HTTP 429 (requests: x)\n\nYou exceeded your current quota.", "kind=QuotaExhausted")]
    [InlineData("HTTP 429 (requests: x)\n\nRate limit reached: you exceeded your current quota", "kind=Throttled")]
    public void Words_and_message_of_an_sdk_exception_decide_like_those_of_an_answer(string message, string expectation) =>
        Fixture.Check(Classified.Exception(new InvalidOperationException(message)), expectation, message);
}
