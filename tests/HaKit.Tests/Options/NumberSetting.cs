using System.Collections;
using System.Globalization;
using System.Reflection;

namespace HaKit.Tests.Options;

/// <summary>A setting whose value is a number or a time, found by reflection over a group of options. So a new setting is found without a change of the tests.</summary>
internal sealed record NumberSetting(string Path, Type Type)
{
    private static readonly HashSet<Type> s_types = [typeof(TimeSpan), typeof(double), typeof(decimal), typeof(int), typeof(long), typeof(uint)];

    public string Name => Path[(Path.LastIndexOf(':') + 1)..];

    /// <summary>Finds the settings of a group and of the groups in it. A group that is null has to be created before.</summary>
    public static IReadOnlyList<NumberSetting> FindAll(object group)
    {
        var found = new List<NumberSetting>();
        Visit(group, "", (path, property, _) =>
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (s_types.Contains(type))
                found.Add(new(path, type));
        });
        return found;
    }

    public void Set(object group, object value) => Visit(group, "", (path, property, owner) =>
    {
        if (path == Path)
            property.SetValue(owner, value);
    });

    public object? Get(object group)
    {
        object? value = null;
        Visit(group, "", (path, property, owner) =>
        {
            if (path == Path)
                value = property.GetValue(owner);
        });
        return value;
    }

    /// <summary>Gets the values that break code that expects an ordinary number.</summary>
    public IEnumerable<object> Extremes()
    {
        if (Type == typeof(TimeSpan))
            return [TimeSpan.MinValue, TimeSpan.FromTicks(-1), TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.FromDays(25), TimeSpan.FromDays(50), TimeSpan.FromDays(100_000), TimeSpan.MaxValue];
        if (Type == typeof(double))
            return [double.NaN, double.NegativeInfinity, -1.0, 0.0, double.Epsilon, 1e-300, 1e300, double.MaxValue, double.PositiveInfinity];
        if (Type == typeof(decimal))
            return [decimal.MinValue, -1m, 0m, 0.0000000000000000000000000001m, 99.99999999999999999999999999m, decimal.MaxValue];
        if (Type == typeof(int))
            return [int.MinValue, -1, 0, 1, int.MaxValue];
        return Type == typeof(uint) ? [0u, uint.MaxValue] : [long.MinValue, -1L, 0L, 1L, long.MaxValue];
    }

    /// <summary>Gets the smallest and the largest accepted value, if the values between them are accepted too.</summary>
    public IEnumerable<object> Edges(object usual, Func<object, bool> isAccepted) =>
        Type == typeof(decimal) ? [] : [Edge(usual, isAccepted, towardsLarge: false), Edge(usual, isAccepted, towardsLarge: true)];

    /// <summary>Writes the value as a message shows it.</summary>
    public static string Shown(object value) => value is TimeSpan time ? DurationText.OfSetting(time) : ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture);

    // Doubles are ordered as their bits are, so the same search finds the edge of every type.
    private object Edge(object usual, Func<object, bool> isAccepted, bool towardsLarge)
    {
        var good = ToNumber(usual);
        var bad = towardsLarge ? (Int128)ToNumber(Extremes().Where(e => e is not double.NaN).MaxBy(ToNumber)!) + 1 : ToNumber(Type == typeof(double) ? 0.0 : Extremes().First()) - 1;
        while (Int128.Abs(bad - good) > 1)
        {
            var middle = good + (bad - good) / 2;
            if (isAccepted(ToValue(middle)))
                good = middle;
            else
                bad = middle;
        }
        return ToValue(good);
    }

    private static Int128 ToNumber(object value) => value switch
    {
        TimeSpan time => time.Ticks,
        double number => BitConverter.DoubleToInt64Bits(number),
        _ => (Int128)Convert.ToInt64(value, CultureInfo.InvariantCulture),
    };

    private object ToValue(Int128 number) => Type switch
    {
        _ when Type == typeof(TimeSpan) => new TimeSpan((long)number),
        _ when Type == typeof(double) => BitConverter.Int64BitsToDouble((long)number),
        _ when Type == typeof(int) => (int)number,
        _ when Type == typeof(uint) => (uint)number,
        _ => (object)(long)number,
    };

    private static void Visit(object group, string prefix, Action<string, PropertyInfo, object> visit)
    {
        foreach (var property in group.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite && p.GetIndexParameters().Length == 0))
        {
            switch (property.GetValue(group))
            {
                case IDictionary groups:
                    foreach (DictionaryEntry entry in groups)
                        VisitGroup(entry.Value!, $"{prefix}{property.Name}:{entry.Key}:", visit);
                    break;
                case IList list:
                    for (var i = 0; i < list.Count; i++)
                        VisitGroup(list[i]!, $"{prefix}{property.Name}:{i}:", visit);
                    break;
                case { } inner when IsGroup(inner):
                    Visit(inner, $"{prefix}{property.Name}:", visit);
                    break;
                default:
                    visit(prefix + property.Name, property, group);
                    break;
            }
        }
    }

    private static void VisitGroup(object item, string prefix, Action<string, PropertyInfo, object> visit)
    {
        if (IsGroup(item))
            Visit(item, prefix, visit);
    }

    private static bool IsGroup(object value) => value.GetType() is { IsClass: true } type && type.Namespace?.StartsWith("HaKit", StringComparison.Ordinal) == true;
}
