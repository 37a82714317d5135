namespace HaKit.Continuity;

/// <summary>One place that stores sealed objects by name. It sees names, sizes and times of objects, never what they contain. Implementations are thread-safe.</summary>
public interface IVaultDestination
{
    /// <summary>Stores an object whole unless one of that name exists. It returns after the object is durable.</summary>
    /// <param name="name">Letters, digits, one slash and dots: <c>c/5f…9a.1</c>.</param>
    /// <param name="content">The sealed bytes.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False when an object of that name existed; it is left as it was.</returns>
    ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Reads an object; null when there is none of that name.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken);

    /// <summary>Lists the names of all objects that begin with a prefix, in any order.</summary>
    /// <param name="prefix">For example <c>c/</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object; nothing happens when there is none.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask DeleteAsync(string name, CancellationToken cancellationToken);
}
