using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

public sealed class ShapeOutlineTests
{
    [Theory]
    [InlineData("""{"base_resp":{"status_code":1002,"status_msg":"secret"},"choices":null}""", "{base_resp:{status_code:number,status_msg:string},choices:null}")]
    [InlineData("""{"errors":[{"reason":"a","at":[1,2]},{"other":1}],"ok":false}""", "{errors:[{reason:string,at:[…]}],ok:boolean}")]
    [InlineData("""{"a prompt of a caller":1,"sk-live-0123456789":2,"x":{"y":{"z":{"deep":1}}}}""", "{?:number,?:number,x:{y:{z:{…}}}}")]
    [InlineData("""[]""", "[]")]
    [InlineData("""{"cut":{"in":"the mid""", "{cut:{in:…")]
    [InlineData("null", "null")]
    public void A_shape_is_told_by_names_and_types_and_never_by_values(string json, string outline) =>
        ShapeOutline.Write(Encoding.UTF8.GetBytes(json)).Should().Be(outline);
}
