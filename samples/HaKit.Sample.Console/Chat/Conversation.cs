using System.Globalization;
using HaKit.AI;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.Sample.Chat;

/// <summary>Holds the messages so far, and handles the commands of the user, such as <c>/again</c>.</summary>
internal sealed class Conversation(IChatClient chat, EndpointPool pool, Providers providers, TextWriter output)
{
    private const string Help = """
        /kill [NAME]      kills a local server: the one that served last, unless you name another
        /restart NAME     starts it again
        /cut [NAME]       cuts its next answer after three words
        /throttle [NAME]  has it refuse for 60 s
        /again            asks the last question again
        /who              how the providers are
        /quit             ends
        """;

    private readonly List<ChatMessage> _messages = [];
    private string? _server;

    public Task TakeAsync(string text, CancellationToken cancellationToken)
    {
        if (text[0] != '/')
        {
            _messages.Add(new(ChatRole.User, text));
            return AskAsync(cancellationToken);
        }
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var name = words.Length > 1 ? words[1] : _server ?? pool.Endpoints[0].Name;
        return words[0] switch
        {
            "/kill" => WithAsync(name, async s => { await s.KillAsync(); return "is dead"; }),
            "/restart" => WithAsync(name, async s => { s.Faults.Clear(); await s.RestartAsync(cancellationToken); return "is back"; }),
            "/cut" => WithAsync(name, s => { s.Faults.Next(1, FakeFault.CutAfter(3)); return Task.FromResult("will break off"); }),
            "/throttle" => WithAsync(name, s => { s.Faults.Always(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(60))); return Task.FromResult("refuses for 60 s"); }),
            "/again" when _messages is [.., { Role.Value: "user" }] => AskAsync(cancellationToken),
            "/again" => output.WriteLineAsync("There is no question without an answer."),
            "/who" => WhoAsync(),
            "/help" => output.WriteLineAsync(Help),
            _ => output.WriteLineAsync($"There is no command '{words[0]}'. /help lists the commands."),
        };
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        var updates = new List<ChatResponseUpdate>();
        try
        {
            await foreach (var update in chat.GetStreamingResponseAsync(_messages, null, cancellationToken))
            {
                updates.Add(update);
                await output.WriteAsync(update.Text);
            }
        }
        catch (PartialResponseException cut)
        {
            // The delivered part stays on the screen, but is not added to the conversation, because the question is not answered yet.
            _server = cut.Endpoint;
            await output.WriteLineAsync($"{Environment.NewLine}  [{cut.Endpoint} broke off after {cut.DeliveredItems} words ({cut.Fault.Kind}); /again asks another]");
            return;
        }
        catch (EndpointPoolException refused)
        {
            await output.WriteLineAsync($"  [{refused.Message} /again asks once more]");
            return;
        }
        var answer = updates.ToChatResponse();
        _messages.AddRange(answer.Messages);
        _server = answer.GetServingEndpoint();
        await output.WriteLineAsync($"{Environment.NewLine}  [{Story(answer)}]");
    }

    private static string Story(ChatResponse answer)
    {
        var attempts = answer.AdditionalProperties?.GetValueOrDefault(ChatStory.AttemptsKey)
            ?? answer.Messages.Select(m => m.AdditionalProperties?.GetValueOrDefault(ChatStory.AttemptsKey)).FirstOrDefault(a => a is not null);
        return attempts as string ?? $"{answer.GetServingEndpoint()}: served";
    }

    private Task WithAsync(string name, Func<FakeAiServer, Task<string>> act) => providers.AreReal
        ? output.WriteLineAsync("  [real providers cannot be harmed from here: use --local]")
        : providers.Find(name) is { } server ? TellAsync(name, act(server))
        : output.WriteLineAsync($"  [there is no {name}]");

    private async Task TellAsync(string name, Task<string> done) => await output.WriteLineAsync($"  [{name} {await done}]");

    private async Task WhoAsync()
    {
        foreach (var endpoint in pool.Explain(RequestProfile.Default))
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"  {endpoint.Endpoint,-10} {(endpoint.NotAdmittedBy is null ? $"{endpoint.Health.Status}" : $"{endpoint.Health}")}{(endpoint.AvailableIn is { Ticks: > 0 } wait ? $", to be asked again in {wait.TotalSeconds:0} s" : "")}"));
        }
    }
}
