using System.CommandLine;
using System.Globalization;
using HaKit.Continuity;

namespace HaKit.Tool.Vaults;

/// <summary>
/// The commands of a vault. Keys come from a file or the environment, never from the command line, because other users of the machine could read them there.
/// </summary>
internal static class VaultCommand
{
    private static readonly Option<string?> s_file = CommandOptions.Text("--vault", "FILE", "JSON settings of the vault (Destinations, Keys …), at the root or in a section Vault");

    private static readonly Option<string[]> s_to = new("--to")
    {
        HelpName = "FOLDER",
        Description = $"a folder as a destination, instead of --vault; may be given several times; the key is taken from {VaultFile.KeyVariable}",
    };

    public static Command Create() => new(
        "vault",
        $"Saves folders to an encrypted vault with several destinations, restores them, and checks them.\nExit code 1 if the operation failed, if a check found a problem, or if a destination does not have the saved snapshot. The key (32 bytes in Base64) comes from the settings or from {VaultFile.KeyVariable}.")
    {
        Save(), Restore(), Check(), Plain("sync", "Copies to each destination the objects that only other destinations have, and repairs damaged copies.", SyncAsync), Prune(),
        Plain("list", "Lists the snapshots, oldest first.", ListAsync),
        Plain("rehearse", "Restores the newest snapshot into a temporary folder and reports how long it took.", RehearseAsync),
        Plain("rekey", "Encrypts all objects with the active key.", RekeyAsync),
    };

    private static Command Save()
    {
        var path = new Argument<string>("path") { Description = "the file or folder to save" };
        var copies = CommandOptions.CreateWhole("--copies", "N", "how many destinations must have the snapshot", usual: 1, least: 1, most: 1000);
        var rehash = CommandOptions.Flag("--rehash", "reads every file, even files that look unchanged");
        return Described(
            new Command("save", "Saves a file or folder. The first save is complete, and later saves send only the changes.") { path, copies, rehash },
            async (parsed, vault, output, token) =>
            {
                var saved = await vault.SaveAsync(parsed.GetRequiredValue(path), new VaultSaveOptions { Copies = parsed.GetValue(copies), Rehash = parsed.GetValue(rehash) }, token);
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{saved}; {saved.ChunksSent} chunks ({saved.BytesSent} bytes) sent to {string.Join(", ", saved.Destinations)}"));
                foreach (var (destination, reason) in saved.Missed)
                    await output.WriteLineAsync($"missing on '{destination}': {reason}");
                return saved.Missed.Count == 0 ? HakitTool.Good : HakitTool.Bad;
            });
    }

    private static Command Restore()
    {
        var snapshot = new Argument<string>("snapshot") { Description = "the snapshot's id, its number, or latest" };
        var target = new Argument<string>("target") { Description = "a path that does not exist yet; with --follow: a folder, and the command replaces its content" };
        var only = CommandOptions.Text("--path", "PATH", "one file or folder of the snapshot");
        var follow = CommandOptions.Flag("--follow", "updates the target to each newer snapshot, as a standby folder, until the command is interrupted");
        var every = CommandOptions.ShortDuration("--every", "how often --follow looks for a newer snapshot (default 1m)");
        return Described(
            new Command("restore", "Restores a snapshot to a new path, and verifies its contents.") { snapshot, target, only, follow, every },
            async (parsed, vault, output, token) =>
            {
                var (which, path, folder) = (parsed.GetRequiredValue(snapshot), parsed.GetValue(only), parsed.GetRequiredValue(target));
                if (!parsed.GetValue(follow))
                {
                    if (parsed.GetValue(every) is not null)
                        throw new UsageException("--every needs --follow: without it, the snapshot is restored once. Add --follow, or leave --every out.");
                    await WriteAsync(output, await vault.RestoreAsync(which, folder, path, token));
                    return HakitTool.Good;
                }
                if (which != "latest" || path is not null)
                    throw new UsageException("--follow keeps the whole newest snapshot: use 'restore latest TARGET --follow', without --path.");
                await foreach (var report in vault.FollowAsync(folder, parsed.GetValue(every) ?? TimeSpan.FromMinutes(1), token))
                    await WriteAsync(output, report);
                return HakitTool.Good;
            });
    }

    private static Command Check() => Plain("check", "Reads every object, and reports missing and damaged objects.", async (vault, output, token) =>
    {
        var report = await vault.CheckAsync(token);
        foreach (var finding in report.Findings)
            await output.WriteLineAsync($"{finding.Destination}  {finding.Problem}  {finding.ObjectName}  {finding.Message}");
        await output.WriteLineAsync($"{report.Snapshots.Count} snapshots, {report.Findings.Count} findings");
        return report.IsGood ? HakitTool.Good : HakitTool.Bad;
    });

    private static Command Prune()
    {
        var last = CommandOptions.CreateWhole("--keep-last", "N", "keeps this many of the newest snapshots; 0: no such rule", usual: 0);
        var days = CommandOptions.Number("--keep-days", "DAYS", "keeps snapshots for this many days; 0: no such rule", usual: 0, least: 0, most: 100_000);
        var giveUp = CommandOptions.Flag("--give-up-damaged", "deletes snapshots that are damaged on every destination");
        return Described(
            new Command("prune", "Deletes old snapshots, and chunks that no snapshot has used for longer than the grace period.") { last, days, giveUp },
            async (parsed, vault, output, token) =>
            {
                var keep = new VaultPruneOptions { KeepLast = parsed.GetValue(last) is > 0 and var n ? n : null, KeepDays = parsed.GetValue(days) is > 0 and var d ? d : null, GiveUpDamaged = parsed.GetValue(giveUp) };
                var report = await vault.PruneAsync(keep, token);
                await output.WriteLineAsync($"{report.Snapshots} snapshots deleted, {report.Marked} chunks marked, {report.Deleted} chunks deleted");
                return await ProblemsAsync(output, report.Problems);
            });
    }

    private static async Task<int> SyncAsync(Vault vault, TextWriter output, CancellationToken token)
    {
        var report = await vault.SyncAsync(token);
        await output.WriteLineAsync($"{report.Snapshots} snapshots and {report.Chunks} chunks copied, {report.Deleted} snapshots deleted");
        return await ProblemsAsync(output, report.Problems);
    }

    private static async Task<int> ListAsync(Vault vault, TextWriter output, CancellationToken token)
    {
        foreach (var snapshot in await vault.ListAsync(token))
            await output.WriteLineAsync($"{snapshot}  {snapshot.Source}  {snapshot.Id}");
        return HakitTool.Good;
    }

    private static async Task<int> RehearseAsync(Vault vault, TextWriter output, CancellationToken token)
    {
        await WriteAsync(output, await vault.RehearseAsync(token));
        return HakitTool.Good;
    }

    private static async Task<int> RekeyAsync(Vault vault, TextWriter output, CancellationToken token)
    {
        await output.WriteLineAsync($"{await vault.RekeyAsync(token)} objects sealed with the active key");
        return HakitTool.Good;
    }

    private static Task WriteAsync(TextWriter output, VaultRestoreReport report) =>
        output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{report.Snapshot}: {report.Files} files, {report.Bytes} bytes restored in {report.Took.TotalSeconds:0.0} s"));

    private static async Task<int> ProblemsAsync(TextWriter output, IReadOnlyList<string> problems)
    {
        foreach (var problem in problems)
            await output.WriteLineAsync(problem);
        return problems.Count == 0 ? HakitTool.Good : HakitTool.Bad;
    }

    private static Command Plain(string name, string description, Func<Vault, TextWriter, CancellationToken, Task<int>> run) =>
        Described(new Command(name, description), (_, vault, output, token) => run(vault, output, token));

    private static Command Described(Command command, Func<ParseResult, Vault, TextWriter, CancellationToken, Task<int>> run)
    {
        command.Options.Add(s_file);
        command.Options.Add(s_to);
        command.SetAction(async (parsed, token) =>
        {
            await using var vault = VaultFile.Open(parsed.GetValue(s_file), parsed.GetValue(s_to) ?? []);
            var bar = new ProgressBar(Progress.For(parsed.InvocationConfiguration.Error, command.Name));
            vault.Progress = bar;
            try
            {
                return await run(parsed, vault, parsed.InvocationConfiguration.Output, token);
            }
            catch (VaultException e)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(e.Message);
                return HakitTool.Bad;
            }
            finally
            {
                bar.End();
            }
        });
        return command;
    }
}
