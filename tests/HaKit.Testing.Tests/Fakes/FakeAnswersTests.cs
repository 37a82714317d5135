namespace HaKit.Testing.Tests.Fakes;

public sealed class FakeAnswersTests
{
    [Fact]
    public void An_answer_is_the_same_everywhere_and_always()
    {
        FakeAnswers.AnswerTo("hello", 6).Should().Be(FakeAnswers.AnswerTo("hello", 6));
        FakeAnswers.AnswerTo("hello", 6).Should().NotBe(FakeAnswers.AnswerTo("Hello", 6));
        FakeAnswers.AnswerTo("hello").Should().StartWith(FakeAnswers.AnswerTo("hello", 6), "a longer answer goes on where a shorter one ends");
        // FNV-1a of the UTF-16 bytes of "a": 61 00.
        FakeAnswers.AnswerTo("a", 1).Should().Be("answer-089be207b544f1e4:");
    }

    [Fact]
    public void An_answer_has_as_many_tokens_as_were_asked_for()
    {
        foreach (var tokens in new[] { 1, 2, 50, 3000 })
            FakeAnswers.AnswerTo("p", tokens).Split(' ').Should().HaveCount(tokens);
        FluentActions.Invoking(() => FakeAnswers.AnswerTo("p", 0)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void An_embedding_has_unit_length_and_depends_on_text_and_model()
    {
        var vector = FakeAnswers.EmbeddingOf("text", "model", 300);

        vector.Should().HaveCount(300);
        vector.Sum(v => (double)v * v).Should().BeApproximately(1, 1e-5);
        vector.Should().NotEqual(FakeAnswers.EmbeddingOf("text2", "model", 300));
        vector.Should().NotEqual(FakeAnswers.EmbeddingOf("text", "model2", 300));
    }
}
