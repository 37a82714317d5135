namespace HaKit;

/// <summary>
/// Replaces System.Threading.Lock by a monitor, which Coyote controls. With the runtime's lock, Coyote would wait and not let the thread run that holds the
/// lock.
/// </summary>
internal sealed class Lock;
