namespace HaKit.Tests.Dialects;

/// <summary>Tests the seam between two texts: nothing is repeated or lost.</summary>
public sealed class AnswerSeamTests
{
    internal static readonly string[] Texts =
    [
        "The quick brown fox jumps over the lazy dog.  Twice.\n\nAnd once more.",
        "ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha!",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 1 | 2 |\n| 1 | 2 |\n| 1 | 2 |\n",
        "def f(x):\n    if x:\n        return [\n            1,\n            2,\n        ]\n    return None\n",
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. 春はあけぼの。やうやう白くなりゆく山ぎは。",
        "emoji 😀😀 family 👨‍👩‍👧‍👦 flag 🇩🇪 \u00A0 narrow\u202Fspace e\u0301 end",
        "  \n\n   leading white space, and trailing   \n ",
        "\t\ttabs\t\tand\r\nlines\r\n\r\n",
    ];

    [Fact]
    public void Any_text_cut_anywhere_comes_whole_from_an_endpoint_that_goes_on_from_its_beginning()
    {
        var random = new Random(1);
        foreach (var text in Texts)
        {
            for (var cut = 0; cut <= text.Length; cut++)
            {
                var seam = new AnswerSeam(text[..cut]);
                seam.Beginning.Should().NotMatchRegex(@"\s\z", "some servers refuse a beginning that ends in white space");
                Read(seam, text[seam.Beginning.Length..], random).Should().Be(text[cut..], $"'{text}' was cut after {cut}");
            }
        }
    }

    [Fact]
    public void Text_cut_twice_comes_whole()
    {
        var random = new Random(2);
        foreach (var text in Texts)
        {
            for (var run = 0; run < 200; run++)
            {
                var first = random.Next(text.Length + 1);
                var seam = new AnswerSeam(text[..first]);
                var delivered = text[..first];
                // The second endpoint is cut too, at any place. The text that its seam still holds was not delivered.
                var rest = text[seam.Beginning.Length..];
                delivered += Pieces(rest[..random.Next(rest.Length + 1)], random).Aggregate("", (all, piece) => all + seam.Append(piece));
                text.Should().StartWith(delivered);
                var second = new AnswerSeam(delivered);
                (delivered + Read(second, text[second.Beginning.Length..], random)).Should().Be(text);
            }
        }
    }

    [Fact]
    public void A_repeated_tail_is_dropped_from_sixteen_characters_on_where_the_endpoint_declares_it()
    {
        const string Text = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen";
        var random = new Random(3);
        for (var cut = 20; cut < Text.Length; cut++)
        {
            for (var repeated = AnswerSeam.ShortestOverlap; repeated <= cut; repeated++)
            {
                var seam = new AnswerSeam(Text[..cut], repeatsTail: true);
                if (repeated > seam.Beginning.Length)
                    continue;
                Read(seam, Text[(seam.Beginning.Length - repeated)..], random).Should().Be(Text[cut..], $"{repeated} characters before {cut} came again");
            }
        }
    }

    [Fact]
    public void Of_an_endpoint_that_begins_with_the_beginning_any_text_cut_anywhere_comes_whole()
    {
        var random = new Random(6);
        var mistral = new PoolEndpoint(new EndpointOptions { Name = "m", Address = "https://example.test", Dialect = WireDialect.Mistral });
        foreach (var text in Texts.Append(string.Concat(Enumerable.Range(0, 400).Select(i => $"{i} "))))
        {
            for (var cut = 0; cut <= text.Length; cut += 1 + text.Length / 150)
                Read(mistral.CreateSeam(text[..cut]), text, random).Should().Be(text[cut..], $"'{text}' was cut after {cut}");
        }
    }

    [Fact(Timeout = 60_000)]
    public void A_long_beginning_that_comes_again_in_small_pieces_costs_little_memory()
    {
        const int pieces = 100_000;
        var mistral = new PoolEndpoint(new EndpointOptions { Name = "m", Address = "https://example.test", Dialect = WireDialect.Mistral });
        var beginning = string.Concat(Enumerable.Range(0, pieces).Select(i => $"{i % 1000:d3}."));
        EndpointSeams().Should().OnlyContain(text => text == " and more");

        IEnumerable<string> EndpointSeams()
        {
            foreach (var seam in (AnswerSeam[])[mistral.CreateSeam(beginning), new AnswerSeam(beginning, repeatsTail: true)])
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var text = "";
                for (var i = 0; i < beginning.Length; i += 4)
                    text += seam.Append(s_pieces[i / 4 % 1000]);
                text += seam.Append(" and more");
                text += seam.Complete();
                (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(20L * beginning.Length);
                yield return text;
            }
        }
    }

    private static readonly string[] s_pieces = [.. Enumerable.Range(0, 1000).Select(i => $"{i:d3}.")];

    [Theory]
    [InlineData("Once upon a time there was a server that", " answered every question.")]
    [InlineData("Hello", " world")]
    public void Of_such_an_endpoint_that_gives_the_rest_alone_the_rest_is_kept(string beginning, string rest)
    {
        var mistral = new PoolEndpoint(new EndpointOptions { Name = "m", Address = "https://api.mistral.ai/v1", Continuation = Continuation.AssistantPrefix });
        Read(mistral.CreateSeam(beginning), rest, new Random(8)).Should().Be(rest);
    }

    [Fact]
    public void Such_an_endpoint_that_starts_over_with_another_text_is_found_out()
    {
        var mistral = new PoolEndpoint(new EndpointOptions { Name = "m", Address = "https://example.test", Dialect = WireDialect.Mistral });
        const string Same = "Once upon a time there was a server that answered every question ";
        var seam = mistral.CreateSeam(Same + "but never one twice.");
        (seam.Append(Same) + seam.Append("and then some.")).Should().BeEmpty();
        seam.HasStartedOver.Should().BeTrue();
    }

    [Theory]
    [InlineData(null, "Plain text, a < b, and <b>markup</b>.")]
    [InlineData(null, "")]
    [InlineData(NotContinuedReason.Reasoning, "<think>\nThe user asks")]
    [InlineData(NotContinuedReason.Reasoning, "\n<thinking>so")]
    [InlineData(NotContinuedReason.Reasoning, "<thi")]
    [InlineData(NotContinuedReason.Reasoning, "<|channel|>analysis<|message|>We")]
    [InlineData(NotContinuedReason.ToolCall, "Let me see.\n<tool_call>\n{\"name\":")]
    [InlineData(NotContinuedReason.ToolCall, "[TOOL_CALLS][{\"name\"")]
    public void Reasoning_and_tool_calls_that_are_streamed_as_text_are_not_gone_on_with(NotContinuedReason? reason, string delivered) =>
        AnswerSeam.FindObstacle(delivered).Should().Be(reason);

    [Fact]
    public void A_repetition_is_kept_when_it_is_short_or_the_endpoint_declares_nothing()
    {
        Read(new AnswerSeam("ha ha ha ha", repeatsTail: true), " ha ha!", new Random(4)).Should().Be(" ha ha!");
        Read(new AnswerSeam("and again and again and again and again"), " and again and again", new Random(4)).Should().Be(" and again and again");
    }

    [Fact]
    public void An_endpoint_that_starts_over_is_found_out_before_anything_is_delivered()
    {
        const string Text = "Once upon a time there was a server that answered every question but never one twice.";
        for (var cut = 20; cut < Text.Length; cut++)
        {
            var seam = new AnswerSeam(Text[..cut]);
            var out1 = Pieces(Text, new Random(cut)).TakeWhile(_ => !seam.HasStartedOver).Aggregate("", (all, piece) => all + seam.Append(piece));
            seam.HasStartedOver.Should().BeTrue();
            out1.Should().BeEmpty();
        }
    }

    [Fact]
    public void Usage_adds_all_parts_and_counts_the_beginning_once_as_input()
    {
        // The prompt has 10 tokens, and the answer is cut after 5 tokens. The rest has 15 input tokens and 7 output tokens.
        AnswerSeam.AddUsage(10, [5], 15, 7).Should().Be((10 + 15, 5 + 7));
        AnswerSeam.AddUsage(null, [5], 15, 7).Should().Be((10 + 15, 5 + 7));
        // The answer is cut again after 3 more tokens. The last rest has 18 input tokens and 4 output tokens.
        AnswerSeam.AddUsage(10, [5, 8], 18, 4).Should().Be((10 + 15 + 18, 8 + 4));
    }

    [Theory]
    [InlineData(null, 5, null)]
    [InlineData(100L, 40, 60L)]
    [InlineData(100L, 100, 1L)]
    [InlineData(100L, 4000, 1L)]
    [InlineData(0L, 40, null)]
    [InlineData(-1L, 40, null)]
    public void The_bound_of_tokens_is_reduced_by_what_was_delivered(long? most, long delivered, long? left) => AnswerSeam.TokensLeft(most, delivered).Should().Be(left);

    [Theory]
    [InlineData(40, 10, 10)]
    [InlineData(24, 1, 1)]
    [InlineData(100, 1, 25)]
    [InlineData(1_000, 10, 250)]
    [InlineData(0, 0, 0)]
    public void Delivered_tokens_are_the_pieces_or_a_quarter_of_the_characters_where_pieces_are_long(long characters, long pieces, long tokens) =>
        AnswerSeam.EstimateTokens(characters, pieces).Should().Be(tokens);

    internal static IEnumerable<string> Pieces(string text, Random random)
    {
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(random.Next(0, 6), text.Length - at);
            yield return text.Substring(at, length);
            at += length;
        }
    }

    private static string Read(AnswerSeam seam, string rest, Random random)
    {
        var text = Pieces(rest, random).Aggregate("", (all, piece) => all + seam.Append(piece)) + seam.Complete();
        seam.HasStartedOver.Should().BeFalse();
        return text;
    }
}
