using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HaKit.Tool;

/// <summary>
/// The option <c>--json</c> of every command that has figures. Without a value it replaces the text on standard output; with a file name it also writes the
/// figures to the file. The file is opened before the work starts, so that a long run does not end with a file that cannot be written.
/// </summary>
internal sealed class JsonOutput : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };
    private readonly TextWriter _output;
    private readonly FileStream? _file;
    private readonly bool _toOutput;

    private JsonOutput(TextWriter output, FileStream? file, bool toOutput) => (_output, _file, _toOutput) = (output, file, toOutput);

    /// <summary>Gets the writer of text for people. It writes nothing when standard output is JSON.</summary>
    public TextWriter Text => _toOutput ? TextWriter.Null : _output;

    public static Option<string?> CreateOption() => new("--json")
    {
        HelpName = "FILE",
        Description = "writes the figures as JSON to a file; without a file name: to standard output, instead of the text",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result => result.Tokens is [{ Value: { Length: > 0 } file }] ? file : "-",
    };

    public static JsonOutput Open(ParseResult parsed, Option<string?> option)
    {
        var output = parsed.InvocationConfiguration.Output;
        if (parsed.GetResult(option) is null)
            return new(output, null, toOutput: false);
        var file = parsed.GetValue(option);
        return file is null or "-" ? new(output, null, toOutput: true) : new(output, OutputFile.Create("--json", file), toOutput: false);
    }

    public async Task WriteAsync<T>(T figures, CancellationToken cancellationToken)
    {
        if (_toOutput)
            await _output.WriteLineAsync(JsonSerializer.Serialize(figures, Indented).AsMemory(), cancellationToken);
        if (_file is not null)
            await JsonSerializer.SerializeAsync(_file, figures, Indented, cancellationToken);
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? default;
}
