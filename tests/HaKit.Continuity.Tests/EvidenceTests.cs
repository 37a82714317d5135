using System.Diagnostics;
using System.Globalization;

namespace HaKit.Continuity.Tests;

/// <summary>
/// The figures of docs/evidence/vault.md, written anew by one command:
/// HAKIT_EVIDENCE=1 HAKIT_TEST_LIMIT=0 HAKIT_VAULT_KILLS=200 dotnet run -c Release --project tests/HaKit.Continuity.Tests -- -class HaKit.Continuity.Tests.EvidenceTests
/// </summary>
public sealed class EvidenceTests : IDisposable
{
    private const string Restic = "/usr/bin/restic";
    private const string Command = "HAKIT_EVIDENCE=1 HAKIT_TEST_LIMIT=0 HAKIT_VAULT_KILLS=200 dotnet run -c Release --project tests/HaKit.Continuity.Tests -- -class HaKit.Continuity.Tests.EvidenceTests";

    private readonly string _folder = Directory.CreateTempSubdirectory("vault-evidence-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 3_600_000)]
    public async Task The_page_of_the_vaults_figures()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("HAKIT_EVIDENCE") == "1" && OperatingSystem.IsLinux(), "HAKIT_EVIDENCE=1 writes docs/evidence/vault.md.");
        var changed = await ChangedByteAsync();
        var small = WriteFiles("small", 10_000, 10_486);
        var vault = await MeasureAsync(Environment.ProcessPath!, ["save-measured", small, Path.Combine(_folder, "small-vault")]);
        var parts = vault.Output.Split(' ');
        var next = (await MeasureAsync(Environment.ProcessPath!, ["save-measured", small, Path.Combine(_folder, "small-vault")])).Output.Split(' ');
        var idle = (await MeasureAsync(Environment.ProcessPath!, ["measured"])).Output;
        var native = await NativeAsync(small);
        using var kills = new KillTests();
        var killed = await kills.RunAsync();
        var restic = await ResticAsync(small);
        var page = string.Create(CultureInfo.InvariantCulture, $"""
            # The vault in figures

            This command repeats the measurements:

            ```sh
            {Command}
            ```

            Measured on {Environment.ProcessorCount} cores of a machine that may have been busy with other work. Times are upper bounds, and counts are exact.

            | measurement | figure | target |
            |---|--:|--:|
            | 1 GiB in 1,024 files, one byte changed: chunks sent | {changed.Chunks} | at most 2 |
            | the same: snapshots sent | {changed.Snapshots} | 1 |
            | the same: bytes of content sent | {changed.Bytes:N0} | |
            | 100 MiB in 10,000 files, the first save: time | {parts[0]} s | at most 60 s |
            | the same save: peak memory of a Native AOT application (VmHWM) | {native} | at most 64 MiB |
            | the same save: peak memory of an application on the shared runtime, without the mapped files of the runtime (VmHWM − RssFile) | {MiB(parts[2])} | at most 64 MiB |
            | the same save: peak memory of an application on the shared runtime (VmHWM) | {MiB(parts[1])} | |
            | the next save, in which no file has changed: peak memory on the shared runtime (VmHWM) | {MiB(next[1])} | |
            | an idle process on the shared runtime: peak memory (VmHWM) | {MiB(idle)} | |
            | the first save: chunks sent | {parts[4]} | |
            {restic}
            | processes killed with −9 | {killed} | 200, none lost |

            """);
        await File.WriteAllTextAsync(Path.Combine(Repository(), "docs", "evidence", "vault.md"), page, Token);
        changed.Chunks.Should().BeLessThanOrEqualTo(2);
        changed.Snapshots.Should().Be(1);
        double.Parse(parts[0], CultureInfo.InvariantCulture).Should().BeLessThan(60);
        double.Parse(parts[2], CultureInfo.InvariantCulture).Should().BeLessThan(64 * 1024);
    }

    private async Task<(int Chunks, int Snapshots, long Bytes)> ChangedByteAsync()
    {
        var source = WriteFiles("large", 1024, 1 << 20);
        var place = Path.Combine(_folder, "large-vault");
        var options = new VaultOptions();
        options.Keys["1"] = VaultWork.Key;
        options.Destinations.Add(new VaultDestinationOptions { Name = "a", Folder = place });
        await using var vault = Vault.Create("large", options);
        await vault.SaveAsync(source, cancellationToken: Token);
        var (chunks, snapshots) = (Count(place, "c"), Count(place, "s"));
        await using (var file = new FileStream(Path.Combine(source, "f00512"), FileMode.Open, FileAccess.ReadWrite))
        {
            file.Seek(123_456, SeekOrigin.Begin);
            var value = file.ReadByte();
            file.Seek(-1, SeekOrigin.Current);
            file.WriteByte((byte)(value ^ 1));
        }
        var saved = await vault.SaveAsync(source, cancellationToken: Token);
        var result = (Count(place, "c") - chunks, Count(place, "s") - snapshots, saved.BytesSent);
        Directory.Delete(source, recursive: true);
        Directory.Delete(place, recursive: true);
        return result;
    }

    private static string MiB(string kilobytes) => string.Create(CultureInfo.InvariantCulture, $"{double.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024:0.0} MiB");

    // The smallest application that saves, as its own executable.
    private async Task<string> NativeAsync(string source)
    {
        var project = Directory.CreateDirectory(Path.Combine(_folder, "native")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "saver.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization></PropertyGroup>
              <ItemGroup><ProjectReference Include="{Path.Combine(Repository(), "src", "HaKit.Continuity", "HaKit.Continuity.csproj")}" /></ItemGroup>
            </Project>
            """, Token);
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), """
            using HaKit.Continuity;
            var options = new VaultOptions();
            options.Keys["1"] = args[2];
            options.Destinations.Add(new VaultDestinationOptions { Name = "a", Folder = args[1] });
            await using var vault = Vault.Create("measured", options);
            await vault.SaveAsync(args[0]);
            Console.WriteLine(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM")).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
            """, Token);
        var output = Path.Combine(_folder, "native-out");
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", project, "-c", "Release", "--use-current-runtime", "-o", output, "-v", "q", "--nologo"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var log = publish.StandardOutput.ReadToEndAsync(Token);
        await publish.WaitForExitAsync(Token);
        if (publish.ExitCode != 0)
        {
            TestContext.Current.SendDiagnosticMessage(await log);
            return "not measured: it could not be published here";
        }
        var most = (await MeasureAsync(Path.Combine(output, "saver"), [source, Path.Combine(_folder, "native-vault"), VaultWork.Key])).Output;
        double.Parse(most, CultureInfo.InvariantCulture).Should().BeLessThan(64 * 1024);
        return MiB(most);
    }

    private async Task<string> ResticAsync(string source)
    {
        if (!File.Exists(Restic))
        {
            return "| restic was not installed | - | |";
        }
        var place = Path.Combine(_folder, "restic");
        await MeasureAsync(Restic, ["init", "--repo", place]);
        var (took, most, _) = await MeasureAsync(Restic, ["backup", "--quiet", "--repo", place, source]);
        return string.Create(CultureInfo.InvariantCulture, $"| for information: restic of Debian 12, the same folder | {took.TotalSeconds:0.0} s, {most / 1024.0:0.0} MiB (VmHWM) | |");
    }

    // Returns the output, and the largest memory that was measured every 20 ms.
    private static async Task<(TimeSpan Took, long MostKilobytes, string Output)> MeasureAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["RESTIC_PASSWORD"] = "evidence";
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Token), process.StandardError.ReadToEndAsync(Token));
        var most = 0L;
        while (!process.HasExited)
        {
            most = Math.Max(most, MemoryOf(process.Id));
            await Task.Delay(20, Token);
        }
        process.ExitCode.Should().Be(0, await error);
        return (Stopwatch.GetElapsedTime(began), most, (await output).Trim());
    }

    private static long MemoryOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(static l => l.StartsWith("VmHWM", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // the process has just ended
        }
    }

    private string WriteFiles(string name, int count, int size)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        var random = new Random(count);
        var content = new byte[size];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(content);
            File.WriteAllBytes(Path.Combine(folder, $"f{i:00000}"), content);
        }
        return folder;
    }

    private static int Count(string place, string kind) => Directory.EnumerateFiles(Path.Combine(place, kind)).Count();

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
        {
            folder = folder.Parent;
        }
        return folder.FullName;
    }
}
