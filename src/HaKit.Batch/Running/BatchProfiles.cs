namespace HaKit.Batch.Running;

/// <summary>Creates the profiles of a batch's calls.</summary>
internal static class BatchProfiles
{
    /// <summary>Gets the profile of a call that ends at once if it would have to wait.</summary>
    public static RequestProfile WithoutWaiting(RequestProfile profile) => profile with { MaxWait = TimeSpan.Zero };
}
