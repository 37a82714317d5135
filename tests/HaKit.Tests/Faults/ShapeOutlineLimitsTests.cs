using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

public sealed class ShapeOutlineLimitsTests
{
    private const int MostNames = 24;

    private static string Outline(string json) => ShapeOutline.Write(Encoding.UTF8.GetBytes(json));

    [Theory]
    [InlineData("""{"list":[1,[2],3],"z":true}""", "{list:[number],z:boolean}")]
    [InlineData("""{"list":[{"a":1},{"b":[2]},[3]],"z":true}""", "{list:[{a:number}],z:boolean}")]
    [InlineData("""{"gpt4o2":1,"ab12":1,"a123":1}""", "{gpt4o2:number,ab12:number,?:number}")]
    public void Elements_after_the_first_and_names_with_more_than_2_digits_are_left_out(string json, string outline) => Outline(json).Should().Be(outline);

    [Fact]
    public void Outline_has_at_most_24_names()
    {
        var members = string.Join(',', Enumerable.Repeat("\"a\":1", MostNames));
        var shown = string.Join(',', Enumerable.Repeat("a:number", MostNames));
        Outline("{" + members + "}").Should().Be("{" + shown + "}");
        Outline("{" + members + ",\"b\":{\"c\":1},\"d\":1}").Should().Be("{" + shown + "}");
        Outline("{" + members + ",\"b\":{\"c\":1},\"d\":").Should().Be("{" + shown + "…", "the text is cut");
    }
}
