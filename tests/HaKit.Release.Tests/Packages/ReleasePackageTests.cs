using System.Diagnostics;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace HaKit.Release.Tests;

/// <summary>Packs the packages of the last commit as for a release, from two clones in two folders.</summary>
public sealed class TwoClones : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("hakit-clones-").FullName;

    public string[] Clones => [Path.Combine(folder, "one"), Path.Combine(folder, "another", "with-a-longer-name")];

    public string Commit { get; private set; } = "";

    public static string Feed(string clone) => Path.Combine(clone, "packages");

    public async ValueTask InitializeAsync()
    {
        if (!Path.Exists(Repository.PathOf(".git")))
            return;
        foreach (var clone in Clones)
        {
            await GitAsync("clone", "-q", Repository.Root, clone);
            await PackedFixture.RunAsync(clone, "pack", "src/Packages.slnf", "-c", "Release", "-o", Feed(clone), "-p:Version=0.0.1-clone", "-p:MinVerSkip=true", "-v", "q", "--nologo");
        }
        Commit = await GitAsync("-C", Repository.Root, "rev-parse", "HEAD");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return default;
    }

    private static async Task<string> GitAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.Should().Be(0, "git {0} succeeds", string.Join(' ', arguments));
        return output.Trim();
    }
}

public sealed partial class ReleasePackageTests(TwoClones clones) : IClassFixture<TwoClones>
{
    public static TheoryData<string> Packages => [.. Repository.Packages];

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_same_commit_gives_the_same_files_from_two_folders(string package)
    {
        SkipWithoutGit();
        var (one, another) = (Entries(0, package), Entries(1, package));
        one.Keys.Should().BeEquivalentTo(another.Keys).And.Contain(name => name.EndsWith($"/{package}.dll", StringComparison.Ordinal));
        one.Where(entry => !entry.Value.AsSpan().SequenceEqual(another[entry.Key])).Select(entry => entry.Key).Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void No_file_of_a_package_says_where_it_was_built(string package)
    {
        SkipWithoutGit();
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        foreach (var place in (string[])[clones.Clones[0], Path.Combine(home, ".nuget"), "hakit-clones-"])
        {
            Entries(0, package).Where(entry => Holds(entry.Value, Encoding.UTF8.GetBytes(place)) || Holds(entry.Value, Encoding.Unicode.GetBytes(place)))
                .Select(entry => entry.Key).Should().BeEmpty("'{0}' is of the machine that packed", place);
        }
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_debugger_finds_the_sources_of_the_commit(string package)
    {
        SkipWithoutGit();
        var symbols = Entries(0, package).Single(entry => entry.Key.EndsWith($"/{package}.pdb", StringComparison.Ordinal)).Value;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
        var reader = provider.GetMetadataReader();
        var sourceLink = new Guid("CC110556-A091-4D38-9FEC-25AB9A351A6A");
        var links = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Where(i => reader.GetGuid(i.Kind) == sourceLink)
            .Select(i => Encoding.UTF8.GetString(reader.GetBlobBytes(i.Value)));
        links.Should().ContainSingle().Which.Should().MatchRegex(@"""/_/\*"":""https://[^""]+/" + clones.Commit + @"/\*""");
        reader.Documents.Select(d => reader.GetString(reader.GetDocument(d).Name)).Should().OnlyContain(name => name.StartsWith("/_", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_names_its_repository_its_commit_and_its_picture(string package)
    {
        SkipWithoutGit();
        var files = Entries(0, package);
        var metadata = XDocument.Parse(Encoding.UTF8.GetString(files[package + ".nuspec"]).TrimStart('\uFEFF')).Descendants().ToLookup(e => e.Name.LocalName, StringComparer.Ordinal);
        var repository = metadata["repository"].Single();
        repository.Attribute("type")!.Value.Should().Be("git");
        repository.Attribute("commit")!.Value.Should().Be(clones.Commit);
        metadata["projectUrl"].Single().Value.Should().Be(repository.Attribute("url")!.Value);
        files.Should().ContainKey(metadata["icon"].Single().Value);
        var page = Encoding.UTF8.GetString(files[metadata["readme"].Single().Value]);
        Target().Matches(page).Select(m => m.Groups[1].Value).Should().NotBeEmpty().And.OnlyContain(link => link.StartsWith("https://", StringComparison.Ordinal) || link.StartsWith('#'));
    }

    // The symbols are in a separate package.
    private Dictionary<string, byte[]> Entries(int clone, string package)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var kind in (string[])["snupkg", "nupkg"])
        {
            using var zip = ZipFile.OpenRead(Path.Combine(TwoClones.Feed(clones.Clones[clone]), $"{package}.0.0.1-clone.{kind}"));
            // NuGet writes a new name and time for these files in each run.
            foreach (var entry in zip.Entries.Where(e => !e.FullName.StartsWith("package/", StringComparison.Ordinal) && !e.FullName.StartsWith("_rels/", StringComparison.Ordinal)))
            {
                using var content = new MemoryStream();
                using (var stream = entry.Open())
                    stream.CopyTo(content);
                files[entry.FullName] = content.ToArray();
            }
        }
        return files;
    }

    private static bool Holds(byte[] content, byte[] text) => content.AsSpan().IndexOf(text) >= 0;

    private static void SkipWithoutGit() => Assert.SkipUnless(Path.Exists(Repository.PathOf(".git")), "The sources are not in a git repository.");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Target();
}
