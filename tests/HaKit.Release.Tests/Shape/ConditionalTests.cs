using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HaKit.Release.Tests.Shape;

/// <summary>A conditional expression inside a conditional expression hides the order of its conditions. It is written as a switch or as statements.</summary>
public sealed class ConditionalTests
{
    [Fact]
    public void No_conditional_expression_lies_within_another()
    {
        SourceFiles.Roots.SelectMany(NestedIn).Select(static found => $"{SourceFiles.PlaceOf(found)} {MethodOf(found)}").Should().BeEmpty();
    }

    [Theory]
    [InlineData("a ? 1 : b ? 2 : 3", true)]
    [InlineData("a ? b ? 1 : 2 : 3", true)]
    [InlineData("(a ? b : c) ? 1 : 2", true)]
    [InlineData("a ? 1 : (b ? 2 : 3)", true)]
    [InlineData("a ? x ?? (b ? 2 : 3) : 3", true)]
    [InlineData("a ? 1 : 2", false)]
    [InlineData("a ? F(b ? 1 : 2) : 3", false)]
    [InlineData("a ? F(() => b ? 1 : 2) : 3", false)]
    public void Nested_ones_are_found_where_one_is_a_part_of_the_decision_of_another(string expression, bool isNested) =>
        NestedIn(SourceFiles.Parse($"class A {{ object M() => {expression}; }}")).Any().Should().Be(isNested);

    private static IEnumerable<ConditionalExpressionSyntax> NestedIn(SyntaxNode root) =>
        root.DescendantNodes().OfType<ConditionalExpressionSyntax>().Where(static inner => inner.Ancestors().SkipWhile(IsPassedThrough).First() is ConditionalExpressionSyntax);

    // A node that only passes the value on (an argument of a call, or the body of a lambda) begins a new decision.
    private static bool IsPassedThrough(SyntaxNode node) => node is ParenthesizedExpressionSyntax or BinaryExpressionSyntax or CastExpressionSyntax;

    private static string MethodOf(SyntaxNode node) => string.Join('.',
        node.Ancestors().OfType<TypeDeclarationSyntax>().FirstOrDefault()?.Identifier.Text,
        node.Ancestors().Select(NameOf).FirstOrDefault(static name => name is not null));

    private static string? NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        LocalFunctionStatementSyntax function => function.Identifier.Text,
        PropertyDeclarationSyntax property => property.Identifier.Text,
        ConstructorDeclarationSyntax => "new",
        _ => null,
    };
}
