using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HaKit.Release.Tests.Shape;

/// <summary>A method is a verb with an object, in the words of the field.</summary>
public sealed class NameTests
{
    // Words that name neither an action nor its object, and private words for which a common term exists.
    private static readonly HashSet<string> Unclear =
    [
        "Again", "Answered", "Ask", "Broken", "Fit", "GiveUp", "Go", "Hear", "HeldBack", "Home", "Judge", "Keep", "Kinship", "Known", "Leave", "Look", "Note", "Of", "Own", "Pulse",
        "Put", "Ramp", "Refuse", "Settle", "Short", "Take", "Tell", "Turn", "Use", "Waits", "Walk", "Whole",
    ];

    /// <summary>The methods that may have such a name, each with its reason.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["VaultDestinationOptions.Use"] = "fluent, as in ASP.NET Core: options.Use(destination)",
    };

    [Fact]
    public void Methods_have_names_that_say_what_they_do()
    {
        var unclear = SourceFiles.Roots
            .SelectMany(static root => root.DescendantNodes())
            .Select(static node => node switch
            {
                MethodDeclarationSyntax method => (Node: node, method.Identifier.Text),
                LocalFunctionStatementSyntax function => (Node: node, function.Identifier.Text),
                _ => default,
            })
            .Where(static n => n.Text is not null && Unclear.Contains(n.Text))
            .Select(static n => (Name: $"{n.Node.Ancestors().OfType<TypeDeclarationSyntax>().First().Identifier.Text}.{n.Text}", Place: SourceFiles.PlaceOf(n.Node)))
            .ToArray();
        unclear.Where(static n => !Allowed.ContainsKey(n.Name)).Select(static n => $"{n.Place} {n.Name}").Should().BeEmpty();
        Allowed.Keys.Except(unclear.Select(static n => n.Name)).Should().BeEmpty("an exception that nothing needs is taken from the list");
    }
}
