namespace HaKit.Batch.Running;

/// <summary>What a batch says of its calls to the pool.</summary>
internal static class BatchProfiles
{
    /// <summary>A call that ends at once where it would have to wait.</summary>
    public static RequestProfile WithoutWaiting(RequestProfile profile) => profile with { MaxWait = TimeSpan.Zero };
}
