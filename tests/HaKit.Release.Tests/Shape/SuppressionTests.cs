using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HaKit.Release.Tests.Shape;

/// <summary>Every suppression of a rule has a reason beside it.</summary>
public sealed class SuppressionTests
{
    [Fact]
    public void Every_suppression_carries_its_reason_and_ends()
    {
        var wrong = SourceFiles.Roots.SelectMany(static root =>
        {
            var pragmas = root.DescendantNodes(descendIntoTrivia: true).OfType<PragmaWarningDirectiveTriviaSyntax>().ToArray();
            var bare = pragmas.Where(static p => IsDisable(p) && !HasReason(p)).Select(static p => $"{SourceFiles.PlaceOf(p)} gives no reason");
            var open = pragmas.Where(IsDisable).SelectMany(static p => p.ErrorCodes.Select(static c => c.ToString()))
                .Except(pragmas.Where(static p => !IsDisable(p)).SelectMany(static p => p.ErrorCodes.Select(static c => c.ToString())))
                .Select(code => $"{root.SyntaxTree.FilePath}: {code} is not restored");
            var attributes = root.DescendantNodes().OfType<AttributeSyntax>()
                .Where(static a => a.Name.ToString().EndsWith("SuppressMessage", StringComparison.Ordinal) && !a.ToString().Contains("Justification = \"", StringComparison.Ordinal))
                .Select(static a => $"{SourceFiles.PlaceOf(a)} gives no reason");
            return bare.Concat(open).Concat(attributes);
        });
        wrong.Should().BeEmpty();
    }

    private static bool IsDisable(PragmaWarningDirectiveTriviaSyntax pragma) => pragma.DisableOrRestoreKeyword.IsKind(SyntaxKind.DisableKeyword);

    // "As above" is not a reason, because the line above may move.
    private static bool HasReason(PragmaWarningDirectiveTriviaSyntax pragma) =>
        pragma.ToFullString().Split("//") is [_, var reason] && reason.Trim().Length > 10 && !reason.Contains("As above", StringComparison.Ordinal) && !reason.Contains("As below", StringComparison.Ordinal);
}
