namespace HaKit.Testing.Wire;

/// <summary>Converts bodies to steps in time, complete or broken according to the fault. The transports only execute the steps.</summary>
internal static class BodySteps
{
    private static readonly ReadOnlyMemory<byte> WhiteSpace = " \n"u8.ToArray();

    /// <summary>Returns the steps of a body that is not streamed and is sent as one piece.</summary>
    public static IEnumerable<Step> Single(byte[] body, int tokens, FakeFault fault, TimeSpan due)
    {
        var half = body.AsMemory(0, body.Length / 2);
        switch (fault.Ending?.Kind)
        {
            case FakeEndingKind.Empty:
                yield return new(StepKind.End, due);
                break;
            case FakeEndingKind.KeepAlives:
                foreach (var step in Comments(WhiteSpace, fault.CommentsEvery, due))
                    yield return step;
                break;
            case FakeEndingKind.Cut or FakeEndingKind.End or FakeEndingKind.Torn or FakeEndingKind.Truncated or FakeEndingKind.Silence:
                yield return Step.Send(due, half, tokens / 2);
                yield return new(EndOf(fault.Ending.Kind), due);
                break;
            default:
                yield return Step.SendFinal(due, body, tokens);
                break;
        }
    }

    /// <summary>Returns the steps of a streamed chat, starting at the moment of its headers.</summary>
    public static IEnumerable<Step> Stream(Dialect dialect, ChatReply reply, FakeFault fault, string error)
    {
        var due = fault.ToHeaders;
        var ending = fault.Ending;
        switch (ending?.Kind)
        {
            case FakeEndingKind.Empty:
                yield return new(StepKind.End, due);
                yield break;
            case FakeEndingKind.ErrorIn200:
                yield return Step.SendFinal(due, dialect.ErrorEvent(error));
                yield break;
            case FakeEndingKind.KeepAlives:
                foreach (var step in Comments(Comment(fault), fault.CommentsEvery, due))
                    yield return step;
                yield break;
        }

        yield return Step.Send(due, dialect.Opening(reply));
        for (var wait = fault.CommentsEvery ?? TimeSpan.MaxValue; wait < fault.ToFirstToken; wait += fault.CommentsEvery!.Value)
            yield return Step.Send(due + wait, Comment(fault));
        due += fault.ToFirstToken;
        var breaksAt = ending is null ? int.MaxValue : Math.Min(ending.Kind == FakeEndingKind.Truncated ? 1 : ending.After, reply.Pieces.Count);
        for (var i = 0; i <= reply.Pieces.Count; i++)
        {
            if (i > 0 && i < reply.Pieces.Count)
                due += fault.PerToken;
            if (i == breaksAt)
            {
                foreach (var step in BreakOff(dialect, reply, ending!, i, error, due))
                    yield return step;
                yield break;
            }

            if (i < reply.Pieces.Count)
                yield return Step.Send(due, dialect.Piece(reply, i), 1);
        }

        yield return Step.SendFinal(due, dialect.Closing(reply));
    }

    private static IEnumerable<Step> BreakOff(Dialect dialect, ChatReply reply, FakeEnding ending, int after, string error, TimeSpan due)
    {
        switch (ending.Kind)
        {
            case FakeEndingKind.Torn when after < reply.Pieces.Count:
                yield return Step.Send(due, Torn(dialect.Piece(reply, after)));
                break;
            case FakeEndingKind.ErrorEvent:
                yield return Step.SendFinal(due, dialect.ErrorEvent(error));
                yield break;
            case FakeEndingKind.Truncated:
                var closing = dialect.Closing(reply);
                yield return Step.Send(due, closing.AsMemory(0, closing.AsSpan().IndexOf("\n\n"u8) / 2)); // within the first event, before any mark of the end
                break;
        }

        yield return new(EndOf(ending.Kind), due);
    }

    private static ReadOnlyMemory<byte> Torn(byte[] piece)
    {
        var wide = piece.AsSpan().IndexOfAnyInRange((byte)0xC0, (byte)0xFF);
        return piece.AsMemory(0, wide >= 0 ? wide + 1 : piece.Length / 2);
    }

    private static IEnumerable<Step> Comments(ReadOnlyMemory<byte> comment, TimeSpan? every, TimeSpan due)
    {
        for (; ; due += every ?? TimeSpan.FromSeconds(1))
            yield return Step.Send(due, comment);
    }

    private static byte[] Comment(FakeFault fault) => ChatReply.Utf8($": {fault.Comment}\n\n");

    private static StepKind EndOf(FakeEndingKind kind) => kind switch
    {
        FakeEndingKind.Cut => StepKind.Reset,
        FakeEndingKind.Silence => StepKind.Silence,
        _ => StepKind.End,
    };
}
