using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Adds a dialect as CONTRIBUTING.md describes, except for the line in <see cref="DialectTable"/>.</summary>
public sealed class NewDialectTests
{
    private sealed class AcmeDialect : OpenAIDialect
    {
        protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
        {
            "out_of_coins" => Verdict.Quota,
            "hold_your_horses" => new Verdict(FaultKind.Throttled),
            _ => base.Meaning(word),
        };

        protected override int StatusOf(ReadOnlySpan<char> word) => word switch
        {
            "acme_tired" => 503,
            _ => base.StatusOf(word),
        };
    }

    [Theory]
    [InlineData(429, """{"error":{"code":"out_of_coins"}}""", FaultKind.QuotaExhausted)]
    [InlineData(500, """{"error":{"code":"hold_your_horses"}}""", FaultKind.Throttled)]
    [InlineData(0, """{"error":{"type":"acme_tired"}}""", FaultKind.Overloaded)]
    [InlineData(400, """{"error":{"code":"context_length_exceeded"}}""", FaultKind.ContextLength)]
    [InlineData(502, "<html>", FaultKind.ServerError)]
    public void Its_own_words_go_first_and_the_rest_is_as_usual(int status, string body, FaultKind kind)
    {
        Span<char> words = stackalloc char[ErrorSigns.WordBuffer];
        Span<byte> lengths = stackalloc byte[ErrorSigns.LengthBuffer];
        lengths.Clear();
        var signs = new ErrorSigns(words, lengths);
        ErrorReader.Read(System.Text.Encoding.UTF8.GetBytes(body), null, ref signs);
        Span<char> buffer = stackalloc char[ErrorSigns.LongestMessage];

        var acme = new AcmeDialect();
        var message = new ServerMessage(signs.ReadWords(buffer));
        acme.Classify(in signs, ref message, status == 0 ? acme.ImpliedStatus(in signs) : status).Kind.Should().Be(kind);
    }

    [Fact]
    public void Every_declared_dialect_has_a_class_of_its_own()
    {
        var classes = new Dictionary<WireDialect, string>();
        foreach (var declared in Enum.GetValues<WireDialect>())
        {
            var signs = new ErrorSigns(new char[ErrorSigns.WordBuffer], new byte[ErrorSigns.LengthBuffer]);
            if (declared != WireDialect.Unknown)
                classes[declared] = DialectTable.GetForError(declared, in signs).GetType().Name;
        }
        classes.Values.Should().OnlyHaveUniqueItems().And.HaveCount(Enum.GetValues<WireDialect>().Length - 1);
    }
}
