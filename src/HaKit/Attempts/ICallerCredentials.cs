namespace HaKit.Attempts;

/// <summary>Holds the caller's credentials, which an attempt sends to an endpoint without a credential of its own.</summary>
internal interface ICallerCredentials
{
    /// <summary>Checks whether a text of the server is a part of one of these credentials.</summary>
    bool HasPart(PoolEndpoint endpoint, string text);
}
