using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Peers;

/// <summary>Signs orders with the fleet's key and checks signatures, so that access to the store alone is not enough to take endpoints out.</summary>
internal sealed class OrderSignature(string key, string scope)
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(key);

    public string Sign(PeerFact fact) => Convert.ToBase64String(Hash(fact));

    public bool IsValid(PeerFact fact)
    {
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        return fact.Order is { } order && Convert.TryFromBase64String(order.Signature, given, out var length)
            && length == given.Length && CryptographicOperations.FixedTimeEquals(given, Hash(fact));
    }

    // Each part is written with its length, so that no two different orders give the same text. The pool and the application are included, so that an order
    // for staging is not valid for production.
    private byte[] Hash(PeerFact fact)
    {
        var order = fact.Order!;
        var text = new StringBuilder();
        foreach (var part in new[]
        {
            "hakit order 1", scope, fact.Subject, fact.Replica, Number(fact.Version), Number((long)fact.Length.TotalMilliseconds), order.Order.ToString(),
            order.Tier is { } tier ? Number(tier) : "", order.By, order.Reason ?? "", order.GivenAt.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
        })
        {
            text.Append(Number(part.Length)).Append(':').Append(part);
        }

        return HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
