using System.Net;
using System.Net.Sockets;

namespace HaKit.TestSupport;

/// <summary>
/// Finds ports for the servers that tests start. Directory.Build.props compiles this file into every test project. A port that the operating system chooses can
/// be chosen again after it is released: for a second server of the same test, or for an outgoing connection of any program. So the ports come from below the
/// range from which the operating system chooses, and each port is given once in a process. Thread-safe.
/// </summary>
internal static class FreePort
{
    private const int Lowest = 15_000, Highest = 20_000; // below the ports of FakeAiServer

    private static readonly HashSet<int> s_given = [];

    /// <summary>Returns a port on which nothing listens.</summary>
    public static int Take()
    {
        lock (s_given)
        {
            while (true)
            {
                var port = Random.Shared.Next(Lowest, Highest);
                if (!s_given.Add(port))
                    continue;
                using var listener = new TcpListener(IPAddress.Loopback, port);
                try
                {
                    listener.Start();
                    return port;
                }
                catch (SocketException)
                {
                    // Another program listens there.
                }
            }
        }
    }
}
