using HaKit.Continuity.Format;

namespace HaKit.Continuity.Tests;

/// <summary>Tests the names of objects and ids: what HaKit writes is read, and other files of a destination are no objects.</summary>
public sealed class ObjectNameTests
{
    [Theory(Timeout = 10_000)]
    [InlineData("c/a.1", 'c', "a", 1u)]
    [InlineData("s/ab.cd.4294967295", 's', "ab.cd", uint.MaxValue)]
    [InlineData("k/0123.0", 'k', "0123", 0u)]
    public async Task A_name_is_read_as_it_was_written(string text, char kind, string id, uint key)
    {
        await Task.CompletedTask;
        ObjectName.TryParse(text, out var name).Should().BeTrue();
        name.Should().Be(new ObjectName(kind, id, key));
        name.ToString().Should().Be(text);
    }

    [Theory(Timeout = 10_000)]
    [InlineData("")]
    [InlineData("c")]
    [InlineData("c/.1")] // no id
    [InlineData("c/a1")] // no key
    [InlineData("c/a.")]
    [InlineData("c/ab.")]
    [InlineData("cc/a.1")]
    [InlineData("c-abc.1")]
    [InlineData("c/abc.-1")]
    [InlineData("c/abc. 1")]
    [InlineData("c/abc.1x")]
    [InlineData("c/abc.4294967296")]
    [InlineData(".1234")]
    [InlineData("ab.1234")]
    public async Task Another_name_is_no_object(string text)
    {
        await Task.CompletedTask;
        ObjectName.TryParse(text, out var name).Should().BeFalse();
        name.Should().Be(default(ObjectName));
    }

    [Fact(Timeout = 10_000)]
    public async Task An_id_is_read_as_it_was_written_and_another_text_is_none()
    {
        await Task.CompletedTask;
        var id = ObjectId.Compute("key"u8, 'c', "content"u8);
        ObjectId.TryParse(id.ToString(), out var read).Should().BeTrue();
        read.Should().Be(id);
        foreach (var text in new[] { "", id.ToString()[1..], id + "0", id.ToString()[..63] + "g", "g" + id.ToString()[1..] })
        {
            ObjectId.TryParse(text, out read).Should().BeFalse(text);
            read.Should().Be(default(ObjectId));
        }
    }
}
