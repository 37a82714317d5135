using Microsoft.Extensions.Logging;

namespace HaKit.Telemetry;

/// <summary>
/// Writes the log lines of a pool. There is one line for each change of state. Lines about single calls have the level Debug, or are rare. Lines contain names,
/// kinds and times only: never a key, a prompt or a provider's message. A parameter <c>seconds</c> is not in the text. It is a property of the log entry, for
/// programs that read the log.
/// </summary>
internal static partial class PoolLog
{
    [LoggerMessage(20, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} was ejected for {Duration} because of {Fault}, seen by {Source}.")]
    public static partial void Ejected(ILogger logger, string pool, string endpoint, string duration, double seconds, string fault, string source);

    [LoggerMessage(37, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} was ejected for {Duration} because its heartbeats get {Fault}. Its HealthPath (or Heartbeat:Path) may be wrong: set a path that the server has, or none.")]
    public static partial void EjectedByItsPath(ILogger logger, string pool, string endpoint, string duration, double seconds, string fault);

    [LoggerMessage(21, LogLevel.Information, "Pool {Pool}: endpoint {Endpoint} is back in service ({Status}), seen by {Source}.")]
    public static partial void Recovered(ILogger logger, string pool, string endpoint, string status, string source);

    [LoggerMessage(22, LogLevel.Information, "Pool {Pool}: endpoint {Endpoint} changed from {Before} to {After}, seen by {Source}.")]
    public static partial void LogChanged(ILogger logger, string pool, string endpoint, string before, string after, string source);

    [LoggerMessage(23, LogLevel.Debug, "Pool {Pool}: endpoint {Endpoint} changed from {Before} to {After} because of {Fault}, seen by {Source}.")]
    public static partial void ChangedAtDebug(ILogger logger, string pool, string endpoint, string before, string after, string fault, string source);

    [LoggerMessage(24, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} cools down for {Duration} because of {Fault}.")]
    public static partial void Cooling(ILogger logger, string pool, string endpoint, string duration, double seconds, string fault);

    [LoggerMessage(25, LogLevel.Error, "Pool {Pool}: endpoint {Endpoint} gets no calls until a person repairs this: {Fault}.")]
    public static partial void CoolingUntilCleared(ILogger logger, string pool, string endpoint, string fault);

    [LoggerMessage(26, LogLevel.Critical, "Pool {Pool}: none of its endpoints can take traffic.")]
    public static partial void OutageBegan(ILogger logger, string pool);

    [LoggerMessage(70, LogLevel.Critical, "Pool {Pool}: no endpoint can be reached. The network of this machine may be down.")]
    public static partial void NothingReachable(ILogger logger, string pool);

    [LoggerMessage(71, LogLevel.Warning, "Pool {Pool}: no endpoint has taken traffic for {Duration}; {Waiting} calls wait.")]
    public static partial void OutageGoesOn(ILogger logger, string pool, string duration, double seconds, int waiting);

    [LoggerMessage(72, LogLevel.Debug, "Pool {Pool}: an attempt on endpoint {Endpoint} failed with {Fault}, and endpoint {ServedBy} served the call.")]
    public static partial void FailedAndServed(ILogger logger, string pool, string endpoint, string fault, string servedBy);

    [LoggerMessage(73, LogLevel.Information, "Pool {Pool}: failed attempts on endpoint {Endpoint} in the last minute: {Count} ({Kinds}). Later attempts served their calls.")]
    public static partial void FailedInThisMinute(ILogger logger, string pool, string endpoint, int count, string kinds);

    [LoggerMessage(27, LogLevel.Warning, "Pool {Pool}: an endpoint can take traffic again, after an outage of {Duration}.")]
    public static partial void OutageEnded(ILogger logger, string pool, string duration, double seconds);

    [LoggerMessage(28, LogLevel.Information, "Pool {Pool}: an operator ordered {Order} of {Subject}.")]
    public static partial void Ordered(ILogger logger, string pool, string order, string subject);

    [LoggerMessage(29, LogLevel.Error, "Pool {Pool}: the error budget burns {Burn:0.#} times as fast as the objective allows (alert {Alert}).")]
    public static partial void BudgetBurns(ILogger logger, string pool, double burn, string alert);

    [LoggerMessage(30, LogLevel.Information, "Pool {Pool}: the error budget no longer burns too fast (alert {Alert}).")]
    public static partial void BudgetBurnsNoMore(ILogger logger, string pool, string alert);

    [LoggerMessage(31, LogLevel.Information, "Pool {Pool}: {Wanted} serving endpoints are wanted; {InFlight} attempts are in flight and {Waiting} calls wait.")]
    public static partial void ScaleChanged(ILogger logger, string pool, int? wanted, int inFlight, int waiting);

    [LoggerMessage(32, LogLevel.Warning, "Pool {Pool}: the configuration changed {Settings}, which a running pool cannot apply; they take effect in a new pool.")]
    public static partial void NotApplied(ILogger logger, string pool, string settings);

    [LoggerMessage(5, LogLevel.Warning, "Pool {Pool} has a setting that is probably a mistake: {Warning}")]
    public static partial void ProbableMistake(ILogger logger, string pool, string warning);

    [LoggerMessage(34, LogLevel.Warning, "Pool {Pool}: endpoint {Endpoint} would be out of service because of {Fault}, but the CircuitBreaker rule for this failure is set to Report.")]
    public static partial void WouldBeOut(ILogger logger, string pool, string endpoint, string fault);

    [LoggerMessage(33, LogLevel.Error, "Pool {Pool}: the callback {Callback} threw.")]
    public static partial void CallbackFailed(ILogger logger, Exception failure, string pool, string callback);

    [LoggerMessage(3, LogLevel.Error, "Pool {Pool}: the recovery action for endpoint {Endpoint} failed.")]
    public static partial void RecoveryFailed(ILogger logger, Exception failure, string pool, string endpoint);

    [LoggerMessage(35, LogLevel.Warning, "Pool {Pool}: the answer of endpoint {Endpoint} was cut by {Fault}, and endpoint {Next} continued it.")]
    public static partial void AnswerContinued(ILogger logger, string pool, string endpoint, string fault, string next);

    [LoggerMessage(36, LogLevel.Warning, "Pool {Pool}: the answer of endpoint {Endpoint} is longer than {Bytes} bytes, so the pool no longer holds it back. If it is cut from here on, the caller sees the cut.")]
    public static partial void HeldTooLong(ILogger logger, string pool, string endpoint, long bytes);

    [LoggerMessage(40, LogLevel.Information, "Pool {Pool}: {By} ordered {Order} of {Subject} at replica {Replica}.")]
    public static partial void OrderedElsewhere(ILogger logger, string pool, string order, string subject, string by, string replica);

    [LoggerMessage(41, LogLevel.Warning, "Pool {Pool}: the order {Order} of {Subject} no longer holds, because {By} ordered {Later} at replica {Replica}.")]
    public static partial void OrderOverruled(ILogger logger, string pool, string order, string subject, string later, string by, string replica);

    [LoggerMessage(42, LogLevel.Warning, "Pool {Pool}: an order of replica {Replica} was ignored, because its signature is not the fleet's.")]
    public static partial void OrderRefused(ILogger logger, string pool, string replica);

    [LoggerMessage(43, LogLevel.Warning, "Pool {Pool}: the link to the other replicas is down: {Problem} The pool works alone.")]
    public static partial void LinkDown(ILogger logger, string pool, string? problem);

    [LoggerMessage(44, LogLevel.Information, "Pool {Pool}: the link to the other replicas is up.")]
    public static partial void LinkUp(ILogger logger, string pool);
}
