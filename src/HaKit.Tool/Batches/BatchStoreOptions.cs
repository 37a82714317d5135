using System.CommandLine;
using HaKit.Batch;
using HaKit.Batch.Stores;
using HaKit.PostgreSql;
using Npgsql;

namespace HaKit.Tool.Batches;

/// <summary>The options that name the store of a batch: a journal or a database.</summary>
internal sealed class BatchStoreOptions
{
    public Option<string?> Journal { get; } = CommandOptions.Text("--journal", "NAME", "the journal's name, such as reviews.journal");

    public Option<string?> PostgreSql { get; } = CommandOptions.Text("--postgresql", "CONNECTION", "the connection string of a database, instead of a journal; to keep it out of the command line, set the variable HAKIT_POSTGRESQL instead");

    public Option<string?> Name { get; } = CommandOptions.Text("--batch", "NAME", "the batch's name in the database");

    /// <exception cref="UsageException">The options name no store, or it cannot be opened.</exception>
    public async Task<IBatchStore> OpenAsync(ParseResult parsed, bool create, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Journal) is not null && (parsed.GetValue(PostgreSql) ?? parsed.GetValue(Name)) is not null)
            throw new UsageException("--journal names a file, and --postgresql and --batch name a batch in a database. Give --journal, or give the other two.");
        if (parsed.GetValue(Journal) is { } journal)
            return await InNamesAsync(() => create ? BatchJournal.OpenStoreAsync(journal, null, cancellationToken) : BatchJournal.OpenExistingStoreAsync(journal, null, cancellationToken));
        var connection = parsed.GetValue(PostgreSql) ?? Environment.GetEnvironmentVariable("HAKIT_POSTGRESQL");
        if (connection is null || parsed.GetValue(Name) is not { } name)
            throw new UsageException("Where is the batch? Give --journal NAME, or --postgresql CONNECTION and --batch NAME.");
        return await InNamesAsync(() => PostgreSqlBatchStore.OpenStoreAsync(SourceOf(connection), name, null, cancellationToken));
    }

    // The driver's message is not shown, because the connection string may hold a password.
    private static NpgsqlDataSource SourceOf(string connection)
    {
        try
        {
            return NpgsqlDataSource.Create(connection);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            throw new UsageException("--postgresql (or HAKIT_POSTGRESQL) is a connection string that cannot be read. Write names with values, such as 'Host=localhost;Database=batches;Username=app'. It is not shown, because it may hold a password.");
        }
    }

    public static async Task<T> InNamesAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is BatchStoreException or ArgumentException)
        {
            throw new UsageException(exception.Message);
        }
    }
}
