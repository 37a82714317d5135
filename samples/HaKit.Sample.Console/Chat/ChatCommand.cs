using HaKit.AI;

namespace HaKit.Sample.Chat;

/// <summary>Runs a conversation over a pool of several providers.</summary>
internal static class ChatCommand
{
    private const string Usage = """
        chat [--local]

          --local   uses local servers even if keys are configured

        Starts a chat over the providers that have a key in the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY (and OPENAI_MODEL, ANTHROPIC_MODEL).
        Without a key, three local servers answer in the same wire format, and the words of their answers have no meaning.
        In the conversation, /help lists the commands.
        """;

    public static async Task<int> RunAsync(IEnumerable<string> args, TextReader input, TextWriter output, CancellationToken cancellationToken)
    {
        var line = new CommandLine(args);
        if (line.Flag("--help") || line.Flag("-h"))
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }
        var local = line.Flag("--local");
        line.RefuseTheRest();
        await using var providers = (local ? null : Providers.Real(Environment.GetEnvironmentVariable)) ?? await Providers.LocalAsync(cancellationToken);
        await using var pool = new EndpointPool("chat", providers.Options);
        var conversation = new Conversation(pool.AsChatClient(), pool, providers, output);
        await output.WriteLineAsync($"The chat uses {string.Join(", ", pool.Endpoints)}. /help lists the commands, and an empty line ends the chat.");
        while (true)
        {
            await output.WriteAsync("> ");
            if (await input.ReadLineAsync(cancellationToken) is not { Length: > 0 } text || text == "/quit")
                return 0;
            await conversation.TakeAsync(text, cancellationToken);
        }
    }
}
