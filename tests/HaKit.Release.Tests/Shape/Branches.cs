using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HaKit.Release.Tests.Shape;

/// <summary>Counts the decisions of each method: if, loops, cases and arms of switches, catch, ?:, ??, &amp;&amp; and ||. A local function counts by itself, a lambda with its method.</summary>
internal static class Branches
{
    public static IEnumerable<(string Method, int Count)> In(SyntaxNode root)
    {
        foreach (var node in root.DescendantNodes().Where(IsMethod))
            yield return ($"{TypeOf(node)}.{NameOf(node)}", CountIn(node));
    }

    private static int CountIn(SyntaxNode method) =>
        method.DescendantNodes(child => child == method || child is not LocalFunctionStatementSyntax).Count(IsDecision);

    private static bool IsMethod(SyntaxNode node) => node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax
        or PropertyDeclarationSyntax { ExpressionBody: not null } or IndexerDeclarationSyntax { ExpressionBody: not null };

    private static bool IsDecision(SyntaxNode node) => node.Kind() is
        SyntaxKind.IfStatement or SyntaxKind.ForStatement or SyntaxKind.ForEachStatement or SyntaxKind.ForEachVariableStatement or SyntaxKind.WhileStatement
        or SyntaxKind.DoStatement or SyntaxKind.CaseSwitchLabel or SyntaxKind.CasePatternSwitchLabel or SyntaxKind.CatchClause or SyntaxKind.ConditionalExpression
        or SyntaxKind.CoalesceExpression or SyntaxKind.CoalesceAssignmentExpression or SyntaxKind.LogicalAndExpression or SyntaxKind.LogicalOrExpression
        || node is SwitchExpressionArmSyntax { Pattern: not DiscardPatternSyntax };

    private static string TypeOf(SyntaxNode node) => node.Ancestors().OfType<TypeDeclarationSyntax>().FirstOrDefault()?.Identifier.Text ?? "";

    private static string NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        LocalFunctionStatementSyntax function => function.Identifier.Text,
        PropertyDeclarationSyntax property => property.Identifier.Text,
        AccessorDeclarationSyntax accessor => (accessor.Ancestors().OfType<PropertyDeclarationSyntax>().FirstOrDefault()?.Identifier.Text ?? "this") + "." + accessor.Keyword.Text,
        ConstructorDeclarationSyntax => "new",
        OperatorDeclarationSyntax @operator => @operator.OperatorToken.Text,
        _ => node.Kind().ToString(),
    };
}
