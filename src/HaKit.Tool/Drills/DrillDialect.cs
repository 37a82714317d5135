using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>The wire format of a drill's calls and of its upstreams' errors.</summary>
internal abstract class DrillDialect
{
    public static DrillDialect OpenAI { get; } = new ChatDialect();

    public static DrillDialect Anthropic { get; } = new MessagesDialect();

    public static IReadOnlyList<DrillDialect> All { get; } = [OpenAI, Anthropic];

    /// <summary>Gets the name, as in the option.</summary>
    public abstract string Name { get; }

    public abstract WireDialect Wire { get; }

    /// <summary>Gets the path of a call below <c>/v1</c>.</summary>
    public abstract string Path { get; }

    public abstract HttpRequestMessage CreateRequest(Uri address, string prompt, bool streamed);

    /// <exception cref="HttpRequestException">The answer has an error status or contains an error.</exception>
    public abstract Task<DrillAnswer> ReadAsync(HttpResponseMessage response, bool streamed, CancellationToken cancellationToken);

    /// <summary>Returns the fault with this dialect's errors.</summary>
    public abstract DrillFault Translate(DrillFault fault);

    private sealed class ChatDialect : DrillDialect
    {
        public override string Name => "openai";

        public override WireDialect Wire => WireDialect.OpenAI;

        public override string Path => "chat/completions";

        public override HttpRequestMessage CreateRequest(Uri address, string prompt, bool streamed) => ChatExchange.CreateRequest(address, prompt, streamed);

        public override Task<DrillAnswer> ReadAsync(HttpResponseMessage response, bool streamed, CancellationToken cancellationToken) =>
            ChatExchange.ReadAsync(response, streamed, cancellationToken);

        public override DrillFault Translate(DrillFault fault) => fault;
    }

    private sealed class MessagesDialect : DrillDialect
    {
        public override string Name => "anthropic";

        public override WireDialect Wire => WireDialect.Anthropic;

        public override string Path => "messages";

        public override HttpRequestMessage CreateRequest(Uri address, string prompt, bool streamed) => MessagesExchange.CreateRequest(address, prompt, streamed);

        public override Task<DrillAnswer> ReadAsync(HttpResponseMessage response, bool streamed, CancellationToken cancellationToken) =>
            MessagesExchange.ReadAsync(response, streamed, cancellationToken);

        public override DrillFault Translate(DrillFault fault) =>
            new(fault.Name, fault.Description, length => fault.Steps(length / fault.LengthFactor).Select(step => step with { Fault = Translate(step) }))
            {
                LengthFactor = fault.LengthFactor,
                IsTotal = fault.IsTotal,
            };

        // Translates the errors that OpenAI and Anthropic write differently. Connection failures, silence, cut streams and pages are the same for both.
        private static FakeFault Translate(DrillStep step) => step.Fault.Name switch
        {
            "OpenAI server error" => FakeFaults.Anthropic.ServerError(),
            "OpenAI overloaded" => FakeFaults.Anthropic.Overloaded(),
            "OpenAI rate limit" => FakeFaults.Anthropic.RateLimited(step.RetryAfter),
            "OpenAI quota exhausted" => FakeFaults.Anthropic.SpendLimitReached(),
            "OpenAI bad key" => FakeFaults.Anthropic.BadKey(),
            "OpenAI model not found" => FakeFaults.Anthropic.ModelNotFound(),
            _ => step.Fault,
        };
    }
}
