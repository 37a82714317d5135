using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Items are words: "role" and "ping" are not content, "." marks the end, "!" reports an error, and any other word is content.</summary>
public abstract class StreamBench
{
    private protected static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private protected ManualTimeProvider Time { get; } = new();
    private protected List<string> Opened { get; } = [];
    private protected Dictionary<string, Func<CancellationToken, IAsyncEnumerable<string>>> Scripts { get; } = [];
    private protected int Disposed { get; private set; }

    private protected sealed class Words : StreamItemReader<string>
    {
        public override StreamSignal Read(string item) => item switch
        {
            "role" or "ping" => StreamSignal.None,
            "." => StreamSignal.End,
            "!" or "filtered" => StreamSignal.Error,
            _ => StreamSignal.Content,
        };

        public override Fault FaultOf(string item) => new(item == "filtered" ? FaultKind.ContentFilter : FaultKind.Overloaded);
    }

    private protected ValueTask<StreamedAnswer<string>> Open(EndpointPool pool, RequestProfile? profile = null, CancellationToken? ct = null,
        Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<string>?>>? continueWith = null) =>
        pool.StreamAsync(profile ?? RequestProfile.Default, this, static (attempt, test, token) =>
        {
            test.Opened.Add(attempt.Endpoint.Name);
            return ValueTask.FromResult(test.Scripts[attempt.Endpoint.Name](token));
        }, new Words(), continueWith, ct ?? Ct);

    // A script has words, and pauses such as "2s". "cut" breaks the connection. "hang" waits for ever and ignores its token. "wait" waits until its token is
    // cancelled.
    private protected Func<CancellationToken, IAsyncEnumerable<string>> Says(string script) => token => Play(script, token);

    private protected async IAsyncEnumerable<string> Play(string script, [EnumeratorCancellation] CancellationToken token)
    {
        try
        {
            foreach (var word in script.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (word == "cut")
                    throw new HttpIOException(HttpRequestError.ResponseEnded);
                if (word == "hang")
                {
                    await new TaskCompletionSource().Task;
                }
                else if (word == "wait")
                {
                    var waiting = new TaskCompletionSource();
                    using var registration = token.UnsafeRegister(_ => waiting.TrySetCanceled(token), null);
                    await waiting.Task;
                }
                else if (word.EndsWith('s') && double.TryParse(word[..^1], out var seconds))
                {
                    await Task.Delay(TimeSpan.FromSeconds(seconds), Time, CancellationToken.None);
                }
                else
                {
                    yield return word;
                }
            }
        }
        finally
        {
            Disposed++;
        }
    }

    private protected static async Task<string> ReadAll(StreamedAnswer<string> stream)
    {
        var text = "";
        await foreach (var word in stream)
            text += word + " ";
        return text.TrimEnd();
    }

    private protected EndpointPool Pool(int endpoints, Action<EndpointPoolOptions>? configure = null) => TestPool.Create(Time, endpoints, configure);
}
