using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

// Removes from a file of XML comments each member that other assemblies cannot see.
// Arguments: the comments, the assembly, and a file with the paths of the assemblies that it was compiled with, one a line.
var (comments, assembly, references) = (args[0], MetadataReference.CreateFromFile(args[1]), File.ReadLines(args[2]).Where(File.Exists));
var compilation = CSharpCompilation.Create("comments", references: [assembly, .. references.Select(path => MetadataReference.CreateFromFile(path))]);
var own = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(assembly)!;

var document = XDocument.Load(comments, LoadOptions.PreserveWhitespace);
var members = document.Descendants("member").ToList();
foreach (var member in members.Where(m => !IsPublic(m.Attribute("name")!.Value)))
{
    // The white space before a member goes with it, so that no empty lines stay.
    if (member.PreviousNode is XText space)
        space.Remove();
    member.Remove();
}
document.Save(comments, SaveOptions.DisableFormatting);

bool IsPublic(string id)
{
    var symbol = DocumentationCommentId.GetSymbolsForDeclarationId(id, compilation).FirstOrDefault(s => SymbolEqualityComparer.Default.Equals(s.ContainingAssembly, own));
    if (symbol is null)
        return false;
    while (symbol is not (null or INamespaceSymbol))
    {
        if (symbol.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal))
            return false;
        symbol = symbol.ContainingType;
    }
    return true;
}
