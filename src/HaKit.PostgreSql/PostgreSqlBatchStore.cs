using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using HaKit.Batch;
using HaKit.Batch.Stores;
using Npgsql;

namespace HaKit.PostgreSql;

/// <summary>Sets how a batch in PostgreSQL is opened. Not thread-safe; read when the batch is opened.</summary>
public sealed class PostgreSqlBatchOptions
{
    /// <summary>
    /// Gets or sets the lease: the time after which other workers take over the items of a silent worker, by the database's clock. A worker renews its lease
    /// after a third of this time. If the lease is shorter than a worker's longest pause, calls are made twice, but results are not stored twice. Default 60 s;
    /// 1 s to a day.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets or sets whether opening the batch creates or updates the schema, under an advisory lock. If false, the owner of the database must run the script
    /// that <c>hakit batch schema</c> prints. Default true.
    /// </summary>
    public bool Migrate { get; set; } = true;

    /// <summary>
    /// Gets or sets the key with which inputs and results are sealed (AES-256-GCM); at least 16 bytes. Ids, endpoints and reasons are never sealed. Default
    /// null: not sealed.
    /// </summary>
    public ReadOnlyMemory<byte>? SealKey { get; set; }

    internal void Validate()
    {
        if (Lease < TimeSpan.FromSeconds(1) || Lease > TimeSpan.FromDays(1))
            throw new ArgumentOutOfRangeException(nameof(Lease), string.Create(CultureInfo.InvariantCulture, $"PostgreSqlBatchStore: Lease is {Lease.TotalSeconds} s: 1 s to a day is needed."));
        if (SealKey is { Length: < 16 and var length })
            throw new ArgumentException($"PostgreSqlBatchStore: SealKey has {length} bytes: at least 16 are needed.", nameof(SealKey));
    }
}

/// <summary>Opens batches in PostgreSQL 13 or newer. Any number of workers may use a batch at the same time. Thread-safe.</summary>
public static class PostgreSqlBatchStore
{
    private const string Reflects = "JSON by reflection. Use the overload that takes a JsonTypeInfo.";

    /// <summary>Gets the script that creates the schema and the roles <c>hakit_owner</c> and <c>hakit_worker</c>. It may be run again.</summary>
    public static string SchemaScript => Resources.Read("Schema.sql") + Resources.Read("Roles.sql");

    /// <summary>Opens a batch, or creates it. Items are written as JSON with reflection.</summary>
    /// <inheritdoc cref="OpenAsync{TItem}(NpgsqlDataSource, string, JsonTypeInfo{TItem}, PostgreSqlBatchOptions?, CancellationToken)"/>
    [RequiresUnreferencedCode(Reflects)]
    [RequiresDynamicCode(Reflects)]
    public static async Task<Batch<TItem>> OpenAsync<TItem>(
        NpgsqlDataSource dataSource, string name, PostgreSqlBatchOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await OpenStoreAsync(dataSource, name, options, cancellationToken).ConfigureAwait(false));

    /// <summary>Opens a batch, or creates it.</summary>
    /// <typeparam name="TItem">The type of the items.</typeparam>
    /// <param name="dataSource">The database; not disposed with the batch.</param>
    /// <param name="name">The batch's name in the database.</param>
    /// <param name="itemType">The JSON contract of the items.</param>
    /// <param name="options">Sets how the batch is opened. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="BatchStoreException">The schema is missing, older or newer; the batch is sealed with another key; the database cannot be reached.</exception>
    /// <exception cref="ArgumentException">The name is blank, the lease is out of its range, or the key has fewer than 16 bytes.</exception>
    public static async Task<Batch<TItem>> OpenAsync<TItem>(
        NpgsqlDataSource dataSource, string name, JsonTypeInfo<TItem> itemType, PostgreSqlBatchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(itemType);
        return new(await OpenStoreAsync(dataSource, name, options, cancellationToken).ConfigureAwait(false), itemType);
    }

    /// <summary>Opens the store of a batch, or creates it.</summary>
    /// <param name="dataSource">The database; not disposed with the store.</param>
    /// <param name="name">The batch's name.</param>
    /// <param name="options">Sets how the batch is opened. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <inheritdoc cref="OpenAsync{TItem}(NpgsqlDataSource, string, JsonTypeInfo{TItem}, PostgreSqlBatchOptions?, CancellationToken)" path="/exception"/>
    public static async Task<IBatchStore> OpenStoreAsync(
        NpgsqlDataSource dataSource, string name, PostgreSqlBatchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentException($"PostgreSqlBatchStore was given no name of a batch: it is {(name is null ? "null" : $"'{name}'")}. Perhaps the configuration does not have it. Give the name itself, such as \"reviews\".", nameof(name));
        options ??= new();
        options.Validate();
        try
        {
            await Schema.EnsureAsync(dataSource, options.Migrate, cancellationToken).ConfigureAwait(false);
            return await BatchStore.OpenAsync(dataSource, name, options, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException exception)
        {
            throw new BatchStoreException($"The batch '{name}' cannot be opened in PostgreSQL: {exception.Message.TrimEnd('.')}. {RemedyOf(exception)}", exception);
        }
    }

    // An error of the server has a code. Without a code, no server was reached.
    private static string RemedyOf(NpgsqlException exception) => exception.SqlState is null
        ? "Correct host and port in the connection string, or start the database."
        : "Correct the connection string, or the permissions of its user.";
}

internal static class Resources
{
    public static string Read(string name)
    {
        using var reader = new StreamReader(typeof(Resources).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
