namespace HaKit.Continuity;

/// <summary>
/// Stores sealed (encrypted) objects by name, for example in a folder or a blob container. A destination sees the names, sizes and times of objects, but never
/// their content. Implementations must be thread-safe.
/// </summary>
public interface IVaultDestination
{
    /// <summary>Stores a complete object, unless an object with that name exists. The task ends when the object is durable.</summary>
    /// <param name="name">The object's name: letters, digits, one slash and dots, for example <c>c/5f…9a.1</c>.</param>
    /// <param name="content">The sealed bytes.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False if an object with that name existed; that object is not changed.</returns>
    ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Reads an object. The result is null if there is no object with that name.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken);

    /// <summary>Lists the names of all objects that begin with a prefix, in any order.</summary>
    /// <param name="prefix">The prefix, for example <c>c/</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object. Does nothing if there is no object with that name.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask DeleteAsync(string name, CancellationToken cancellationToken);
}
