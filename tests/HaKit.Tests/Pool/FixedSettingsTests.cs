using System.Collections;
using System.Reflection;
using HaKit.Pool;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>
/// A reload applies every setting, or names it as a setting that a running pool cannot apply. Each setting gets a value that no other setting has. After an
/// update with other values, the whole pool is searched for the old values.
/// </summary>
public sealed class FixedSettingsTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task After_a_reload_the_pool_holds_no_old_setting_but_those_that_are_named_as_fixed()
    {
        EndpointPoolOptions options = null!;
        var marks = new Dictionary<object, string>();
        await using var pool = TestPool.Create(_time, 2, o =>
        {
            options = o;
            Mark(o, 1, marks);
        });
        marks.Should().HaveCountGreaterThan(40, "a walk that sees nothing would allow anything");
        var before = Search(pool, marks).Old;
        before.Should().HaveCountGreaterThan(40, "a search that finds nothing would allow anything");

        var old = options.Copy();
        Mark(options, 2, []);
        var named = FixedSettings.ChangedBetween(old, options);
        pool.Update(options);

        var (held, groups) = Search(pool, marks);
        held.Except(named).Should().BeEmpty("a reload applies them, or says that it does not");
        groups.Where(g => IsOld(g, marks)).Select(g => g.GetType().Name).Distinct().Should().BeEmpty("old options would be read");
    }

    [Fact]
    public void Every_fixed_setting_is_a_setting_and_is_named_when_it_changes()
    {
        var all = new Dictionary<string, PropertyInfo>();
        Visit(new EndpointPoolOptions(), "", (path, property, _) => all[path] = property);
        var old = new EndpointPoolOptions();
        var next = new EndpointPoolOptions { Origin = "https://other", Seed = 7, MaxWaitingCalls = 3 };
        Mark(next, 2, []);
        (next.Sharing.Name, next.Sharing.Replica, next.Sharing.OrderKey) = ("other", "other", "a key of more than sixteen characters");
        next.RetryBudget.Cap += 1;
        var named = FixedSettings.ChangedBetween(old, next);
        named.Should().HaveCount(14).And.OnlyHaveUniqueItems();
        named.Except(all.Keys).Should().BeEmpty("each is the path of a setting");
        FixedSettings.ChangedBetween(old, new EndpointPoolOptions()).Should().BeEmpty();
    }

    // Times, shares and large numbers get a value that no other setting has, close to its own, so that it is still valid.
    private static void Mark(EndpointPoolOptions options, int round, Dictionary<object, string> marks)
    {
        var number = 0;
        Visit(options, "", (path, property, group) =>
        {
            number++;
            switch (property.GetValue(group))
            {
                case TimeSpan { Ticks: > TimeSpan.TicksPerMillisecond } time:
                    var marked = new TimeSpan((time.Ticks / TimeSpan.TicksPerMillisecond) * TimeSpan.TicksPerMillisecond - 2000 * round - number);
                    property.SetValue(group, marked);
                    marks[marked] = path;
                    break;
                case int many and > 100_000: // smaller numbers occur elsewhere in the pool
                    var fewer = many - 2000 * round - number;
                    property.SetValue(group, fewer);
                    marks[fewer] = path;
                    break;
                case double share and > 0 and < double.MaxValue:
                    var less = Math.Round(share, 6) * (1 - (round * 1000 + number) * 1e-9);
                    property.SetValue(group, less);
                    marks[less] = path;
                    break;
            }
        });
    }

    private static void Visit(object group, string prefix, Action<string, PropertyInfo, object> visit)
    {
        foreach (var property in group.GetType().GetProperties().Where(p => p.CanWrite && p.GetIndexParameters().Length == 0))
        {
            if (IsGroup(property.PropertyType) && property.GetValue(group) is { } inner)
                Visit(inner, $"{prefix}{property.Name}:", visit);
            else
                visit(prefix + property.Name, property, group);
        }
    }

    private static bool IsGroup(Type type) => type.IsClass && type.Namespace?.StartsWith("HaKit", StringComparison.Ordinal) == true && type.Name.EndsWith("Options", StringComparison.Ordinal);

    private static bool IsOld(object group, Dictionary<object, string> marks)
    {
        var isOld = false;
        Visit(group, "", (_, property, owner) => isOld |= property.GetValue(owner) is { } value && marks.ContainsKey(value));
        return isOld;
    }

    // Searches all objects that the pool reaches through its fields for old values and old groups of options.
    private static (HashSet<string> Old, List<object> Groups) Search(object root, Dictionary<object, string> marks)
    {
        var (old, groups) = (new HashSet<string>(), new List<object>());
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<object>([root]);
        while (open.TryPop(out var next))
        {
            if (next is long ticks && marks.TryGetValue(new TimeSpan(ticks), out var byTicks))
                old.Add(byTicks);
            if (next is TimeSpan or double or int)
            {
                if (marks.TryGetValue(next, out var path))
                    old.Add(path);
                continue;
            }
            if (next is string or Type or Assembly or MemberInfo or Thread || next.GetType() is { IsPrimitive: true } or { IsPointer: true } or { IsEnum: true }
                || !next.GetType().IsValueType && !seen.Add(next))
            {
                continue;
            }
            if (IsGroup(next.GetType()))
                groups.Add(next);
            if (next is IEnumerable items and (Array or IDictionary or IList))
            {
                foreach (var item in items)
                {
                    if (item is not null)
                        open.Push(item);
                }
            }
            for (var type = next.GetType(); type is not null && type != typeof(object); type = type.BaseType)
            {
                foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                {
                    if (!field.FieldType.IsPointer && !field.FieldType.IsByRefLike && field.GetValue(next) is { } value)
                        open.Push(value);
                }
            }
        }
        return (old, groups);
    }
}
