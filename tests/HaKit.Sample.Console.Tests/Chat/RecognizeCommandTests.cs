using HaKit.Testing;

namespace HaKit.Sample.Tests.Chat;

public sealed class RecognizeCommandTests : IDisposable
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly byte[] _image = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31))];
    private readonly string _file = Path.GetTempFileName();

    public RecognizeCommandTests() => File.WriteAllBytes(_file, _image);

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task A_dead_recogniser_is_passed_over_and_the_next_one_gets_the_whole_image()
    {
        var (exitCode, output, error) = await CommandsTests.RunAsync("recognize", _file);

        error.Should().BeEmpty();
        output.Should().Contain("recogniser 1: ConnectFailed").And.Contain("recogniser 2: answered").And.Contain(FakeAnswers.FileIdOf(_image));
        exitCode.Should().Be(0);
    }

    [Fact]
    public async Task Recognisers_of_one_s_own_are_asked_in_order()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        var (exitCode, output, _) = await CommandsTests.RunAsync("recognize", _file, "--address", $"{server.OpenAIAddress}", "--path", "files");

        output.Should().Contain("recogniser 1: answered").And.Contain(FakeAnswers.FileIdOf(_image));
        exitCode.Should().Be(0);
    }

    [Fact]
    public async Task When_nobody_can_the_refusal_says_what_was_tried()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        server.Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        var (exitCode, _, error) = await CommandsTests.RunAsync("recognize", _file, "--address", $"{server.Address}");

        error.Should().Contain("recogniser 1: QuotaExhausted (429 insufficient_quota)");
        exitCode.Should().Be(1);
    }

    [Theory]
    [InlineData("IMAGE is needed", "recognize")]
    [InlineData("IMAGE is needed", "recognize", "--path", "x")]
    [InlineData("IMAGE is '/no/such/image.png', which cannot be read", "recognize", "/no/such/image.png")]
    public async Task What_is_missing_is_told(string because, params string[] args)
    {
        var (exitCode, _, error) = await CommandsTests.RunAsync(args);

        error.Should().Contain(because);
        exitCode.Should().Be(2);
    }
}
