using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace HaKit.Tests.Architecture;

/// <summary>
/// Checks that the compiled code has only the dependencies that docs/architecture.md draws. A room is a folder of src/HaKit. A type belongs to the folder of
/// its source file.
/// </summary>
public sealed partial class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        [Vocabulary] = [],
        ["Dialects"] = [],
        ["Telemetry"] = [],
        ["Limits"] = [],
        ["Faults"] = ["Dialects"],
        ["Health"] = ["Faults"],
        ["Estimates"] = ["Faults"],
        ["Attempts"] = ["Health", "Limits", "Estimates", "Faults", "Dialects", "Telemetry"],
        ["Selection"] = ["Attempts", "Health", "Limits", "Estimates", "Faults"],
        ["Failover"] = ["Selection", "Attempts", "Health", "Estimates", "Faults", "Limits", "Telemetry"],
        ["Heartbeats"] = ["Selection", "Attempts", "Health", "Estimates", "Faults", "Dialects", "Limits", "Telemetry"],
        ["Connections"] = [],
        ["Peers"] = ["Attempts", "Dialects", "Faults", "Health", "Limits"],
        ["Pool"] = ["Peers", "Attempts", "Connections", "Estimates", "Faults", "Health", "Selection", "Limits", "Failover", "Heartbeats", "Telemetry"],
        ["Recording"] = ["Pool", "Attempts", "Failover", "Faults", "Health", "Limits", "Selection", "Heartbeats", "Telemetry"],
        [Facade] = ["Pool", "Peers", "Attempts", "Faults", "Selection", "Limits", "Failover"],
        ["Http"] = [Facade, "Pool", "Connections", "Dialects", "Failover", "Faults", "Health", "Attempts", "Selection"],
        ["Alerts"] = [Facade, "Pool", "Faults", "Health", "Limits", "Telemetry"],
        ["DependencyInjection"] = [Facade, "Pool", "Peers", "Connections", "Alerts", "Attempts", "Dialects", "Estimates", "Faults", "Health", "Selection", "Limits", "Failover", "Heartbeats", "Http", "Recording", "Telemetry"],
    };

    private const string Facade = "EndpointPool";

    // Vocabulary that every room may use, such as FaultKind, FaultReach and WireDialect.
    private const string Vocabulary = "Vocabulary";

    [Fact]
    public void Rooms_depend_only_on_the_rooms_that_their_arrows_reach()
    {
        var rooms = RoomsOfTypes();
        var seen = new HashSet<string>();
        var wrong = new SortedSet<string>();
        foreach (var type in typeof(EndpointPool).Assembly.GetTypes())
        {
            if (RoomOf(type, rooms) is not { } from)
                continue;
            foreach (var used in TypesUsedBy(type))
            {
                if (RoomOf(used, rooms) is { } to && to != from && to != Vocabulary && seen.Add($"{from} → {to}: {used.Name}") && !Arrows[from].Contains(to))
                    wrong.Add($"{from} → {to}: {Outermost(type).Name} uses {Outermost(used).Name}");
            }
        }
        wrong.Should().BeEmpty();
        seen.Should().Contain(["Failover → Attempts: Lease", "Health → Faults: Fault"], "a scan that found no dependency would let the test pass");
    }

    [Fact]
    public void The_table_of_rooms_says_what_the_arrows_say()
    {
        var rows = File.ReadLines(Path.Combine(RepositoryRoot, "docs", "architecture.md")).SkipWhile(static line => line != "## The rooms of `src/HaKit`")
            .SkipWhile(static line => !line.StartsWith('|')).TakeWhile(static line => line.StartsWith('|')).Skip(2)
            .Select(static line => line.Trim('|', ' ').Split('|').Select(static cell => cell.Replace("`", "", StringComparison.Ordinal).Trim()).ToArray());
        var table = rows.ToDictionary(static row => NameOf(row[0]), static row => row[2] switch
        {
            "nothing" => [],
            "everything" => Arrows.Keys.Except([Vocabulary, NameOf(row[0])]).ToArray(),
            var rooms => [.. rooms.Split(", ").Select(NameOf)],
        });
        table.Should().BeEquivalentTo(Arrows);

        static string NameOf(string cell) => cell is "(root)" or "the facade" ? Facade : cell;
    }

    [Fact]
    public void Every_folder_is_a_room_with_arrows()
    {
        var folders = Directory.GetDirectories(Source).Select(Path.GetFileName).Where(f => f is not ("bin" or "obj"));
        folders.Should().BeSubsetOf(Arrows.Keys);
    }

    [Theory]
    [InlineData("HaKit.Availability", new string[0])]
    [InlineData("HaKit", new[] { "HaKit.Availability" })]
    [InlineData("HaKit.Testing", new[] { "HaKit" })]
    public void Assemblies_depend_only_on_what_they_may(string assembly, string[] allowed)
    {
        var referenced = Assembly.Load(assembly).GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("HaKit", StringComparison.Ordinal));
        referenced.Should().BeSubsetOf(allowed);
    }

    [Fact]
    public void Shipped_assemblies_show_their_internals_to_tests_and_benchmarks_only()
    {
        foreach (var assembly in new[] { typeof(EndpointPool).Assembly, Assembly.Load("HaKit.Testing"), Assembly.Load("HaKit.Availability") })
        {
            assembly.GetCustomAttributes<InternalsVisibleToAttribute>().Select(a => a.AssemblyName)
                .Should().NotContain(friend => !friend.EndsWith(".Tests", StringComparison.Ordinal) && friend != "HaKit.Benchmarks");
        }
    }

    internal static string Source => Path.Combine(RepositoryRoot, "src", "HaKit");

    internal static string RepositoryRoot
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
                folder = folder.Parent;
            return folder.FullName;
        }
    }

    private static Dictionary<string, string> RoomsOfTypes()
    {
        var rooms = new Dictionary<string, string>();
        foreach (var file in Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories))
        {
            var parts = Path.GetRelativePath(Source, file).Split(Path.DirectorySeparatorChar);
            if (parts[0] is "bin" or "obj")
                continue;
            var text = File.ReadAllText(file);
            var space = Namespace().Match(text).Groups[1].Value;
            foreach (Match type in TypeDeclaration().Matches(text))
                rooms[$"{space}.{type.Groups[1].Value}"] = parts.Length == 1 ? Facade : parts[0];
        }
        return rooms;
    }

    private static string? RoomOf(Type type, Dictionary<string, string> rooms)
    {
        if (type.Assembly != typeof(EndpointPool).Assembly)
            return null;
        var name = Outermost(type).FullName!;
        var tick = name.IndexOf('`', StringComparison.Ordinal);
        return rooms.GetValueOrDefault(tick < 0 ? name : name[..tick]);
    }

    private static Type Outermost(Type type)
    {
        while (type.IsNested)
            type = type.DeclaringType!;
        return type;
    }

    private static IEnumerable<Type> TypesUsedBy(Type type)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        IEnumerable<Type?> used = [type.BaseType, .. type.GetInterfaces(), .. type.GetFields(All).Select(f => f.FieldType)];
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            used = used.Concat(method.GetParameters().Select(p => p.ParameterType)).Append((method as MethodInfo)?.ReturnType);
            if (method.GetMethodBody() is { } body)
                used = used.Concat(body.LocalVariables.Select(v => v.LocalType)).Concat(Operands(method, body));
        }
        return used.OfType<Type>().SelectMany(Parts);
    }

    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
            return Parts(type.GetElementType()!);
        if (type.IsGenericParameter)
            return [];
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition()) : [type];
    }

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    // The types that the instructions refer to, and the types of the members that the instructions refer to.
    private static IEnumerable<Type> Operands(MethodBase method, MethodBody body)
    {
        var il = body.GetILAsByteArray()!;
        Type[] typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : [];
        Type[] methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (var i = 0; i < il.Length;)
        {
            short value = il[i++];
            if (value == 0xFE)
                value = unchecked((short)(0xFE00 | il[i++]));
            var operand = OpCodesByValue[value].OperandType;
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok)
            {
                var member = method.Module.ResolveMember(BitConverter.ToInt32(il, i), typeArguments, methodArguments);
                if ((member as Type ?? member?.DeclaringType) is { } named)
                    yield return named;
                if (member is MethodInfo { IsGenericMethod: true } generic)
                {
                    foreach (var argument in generic.GetGenericArguments())
                        yield return argument;
                }
            }
            i += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, i),
                _ => 4,
            };
        }
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:\w+ )*(?:class|struct|interface|enum|record(?: struct| class)?) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();
}
