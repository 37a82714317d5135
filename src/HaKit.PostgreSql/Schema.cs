using HaKit.Batch;
using Npgsql;

namespace HaKit.PostgreSql;

/// <summary>Creates the tables, and checks the version of the schema.</summary>
internal static class Schema
{
    public const int Version = 1;

    // The number of the advisory lock, which only HaKit uses. Workers that open the store at the same time wait for the worker that migrates.
    private const long MigrationLock = 0x48614B69_74426174;

    public static async ValueTask EnsureAsync(NpgsqlDataSource dataSource, bool migrate, CancellationToken cancellationToken)
    {
        var found = await VersionAsync(dataSource, cancellationToken).ConfigureAwait(false);
        if (found > Version)
            throw new BatchStoreException($"The schema 'hakit' has version {found}; this version of HaKit.PostgreSql knows version {Version}. Update the package.");
        if (found == Version)
            return;
        if (!migrate)
            throw new BatchStoreException($"The schema 'hakit' {(found is null ? "is missing" : $"has version {found}, and version {Version} is needed")}. Run the script that 'hakit batch schema' prints as the owner, or set Migrate.");
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var end = connection.ConfigureAwait(false);
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var endOfTransaction = transaction.ConfigureAwait(false);
        var command = new NpgsqlCommand($"select pg_advisory_xact_lock({MigrationLock});" + Resources.Read("Schema.sql"), connection, transaction);
        await using var endOfCommand = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<int?> VersionAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var command = dataSource.CreateCommand("select to_regclass('hakit.schema_version') is not null");
        await using var end = command.ConfigureAwait(false);
        if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
            return null;
        command.CommandText = "select max(version) from hakit.schema_version";
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as int?;
    }
}
