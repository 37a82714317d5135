namespace HaKit;

/// <summary>In the place of System.Threading.Lock: a monitor, which Coyote controls. It would wait for the runtime's lock without giving way to the thread that holds it.</summary>
internal sealed class Lock;
