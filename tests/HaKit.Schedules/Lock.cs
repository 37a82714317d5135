namespace HaKit;

/// <summary>
/// Replaces System.Threading.Lock by a monitor, which Coyote controls. Coyote does not control the runtime's lock: it would wait for a thread that needs the lock, and
/// would not run the thread that holds the lock.
/// </summary>
internal sealed class Lock;
