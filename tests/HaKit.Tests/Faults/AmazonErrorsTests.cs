using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>Tests the names of Amazon's exceptions. Many of Amazon's services answer 400 to all of them, so the name decides.</summary>
public sealed class AmazonErrorsTests
{
    [Theory]
    [InlineData("ThrottlingException", FaultKind.Throttled)]
    [InlineData("throttlingException", FaultKind.Throttled)]
    [InlineData("ThrottledException", FaultKind.Throttled)]
    [InlineData("TooManyRequestsException", FaultKind.Throttled)]
    [InlineData("RequestLimitExceeded", FaultKind.Throttled)]
    [InlineData("ModelNotReadyException", FaultKind.Throttled)]
    [InlineData("ServiceUnavailableException", FaultKind.Overloaded)]
    [InlineData("InternalServerException", FaultKind.ServerError)]
    [InlineData("ValidationException", FaultKind.InvalidRequest)]
    [InlineData("RequestExpired", FaultKind.InvalidRequest)]
    [InlineData("SignatureDoesNotMatch", FaultKind.InvalidRequest)]
    [InlineData("ServiceQuotaExceededException", FaultKind.QuotaExhausted)]
    [InlineData("UnrecognizedClientException", FaultKind.Unauthorized)]
    public void The_name_of_the_exception_decides_about_a_400(string name, FaultKind kind)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            Fault[] faults =
            [
                Classified.Answer(400, """{"message":"x"}""", dialect, RequestKind.CreatesAnswer, ("x-amzn-ErrorType", name))!,
                Classified.Answer(400, """{"message":"x"}""", dialect, RequestKind.CreatesAnswer, ("x-amzn-ErrorType", name + ":http://internal.amazon.com/coral/"))!,
                Classified.Answer(400, $$"""{"__type":"com.amazon.coral#{{name}}","message":"x"}""", dialect, RequestKind.CreatesAnswer)!,
            ];
            faults.Should().OnlyContain(f => f.Kind == kind, "{0} {1}", name, dialect);
            if (kind == FaultKind.Throttled)
                faults.Should().OnlyContain(f => f.Reach == FaultReach.RateLimit && f.SecondOpinion == SecondOpinion.None);
        }
    }
}
