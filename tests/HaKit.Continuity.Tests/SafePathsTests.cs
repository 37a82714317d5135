using HaKit.Continuity.Format;
using HaKit.Continuity.Operations;

namespace HaKit.Continuity.Tests;

public sealed class SafePathsTests
{
    [Theory(Timeout = 10_000)]
    [InlineData("../x", null)]
    [InlineData("a/../../x", null)]
    [InlineData("/etc/passwd", null)]
    [InlineData("a//b", null)]
    [InlineData("", null)]
    [InlineData(".", null)]
    [InlineData("link", "/etc")]
    [InlineData("link", "../x")]
    [InlineData("a/link", "../../x")]
    [InlineData("a/link", "b/../../../x")]
    [InlineData("link", "C:\\x")]
    [InlineData("link", "C:x")]
    [InlineData("link", "")]
    [InlineData("link", "\\x")]
    [InlineData("link", "a/../../x")]
    [InlineData("link", "./../x")]
    [InlineData("link", "a//../../x")]
    [InlineData("a\0b", null)]
    [InlineData("/a\0b", null)]
    [InlineData("a/", null)]
    public async Task A_name_or_link_that_leaves_the_target_is_refused_before_anything_is_written(string path, string? link)
    {
        await Task.CompletedTask;
        Action restore = () => SafePaths.ThrowIfUnsafe([new ManifestEntry { Path = path, Link = link }], isWindows: false, ignoresCase: false);
        restore.Should().Throw<VaultException>().WithMessage("*refused*");
    }

    [Theory(Timeout = 10_000)]
    [InlineData("link", "x")]
    [InlineData("a/link", "../x")]
    [InlineData("a/link", ".//../x")]
    [InlineData("link", "a/../b")]
    [InlineData("link", "a/b/../../x")]
    [InlineData("ends with a space /b", null)]
    [InlineData("in the middle", null)]
    public async Task A_name_or_link_that_stays_in_the_target_is_restored(string path, string? link)
    {
        await Task.CompletedTask;
        ((Action)(() => SafePaths.ThrowIfUnsafe([new ManifestEntry { Path = path, Link = link }], isWindows: false, ignoresCase: false))).Should().NotThrow();
    }

    [Theory(Timeout = 10_000)]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public async Task A_name_has_at_most_255_bytes(int length, bool isStored)
    {
        await Task.CompletedTask;
        foreach (var isWindows in new[] { false, true })
        {
            var restore = () => SafePaths.ThrowIfUnsafe([new() { Path = "a/" + new string('n', length) + "/b" }], isWindows, ignoresCase: false);
            if (isStored)
                restore.Should().NotThrow();
            else
                restore.Should().Throw<VaultException>().WithMessage("*longer*");
        }
    }

    [Fact(Timeout = 10_000)]
    public async Task A_refusal_says_through_what_a_path_leads_and_capital_letters_count_where_the_system_counts_them()
    {
        await Task.CompletedTask;
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "a" }, new() { Path = "a/x" }], false, false))).Should().Throw<VaultException>().WithMessage("*which is a file.");
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "b/a", Link = "c" }, new() { Path = "b/a/x/y" }], false, false))).Should().Throw<VaultException>().WithMessage("*'b/a', which is a link.");
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "A" }, new() { Path = "a" }], false, ignoresCase: false))).Should().NotThrow();
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "a b" }, new() { Path = "d", IsFolder = true }, new() { Path = "d/x" }], isWindows: true, ignoresCase: true))).Should().NotThrow();
    }

    [Theory(Timeout = 10_000)]
    [InlineData("CON")]
    [InlineData("a/nul.txt")]
    [InlineData("x:y")]
    [InlineData("a\\b")]
    [InlineData("ends.")]
    public async Task A_name_that_Windows_cannot_hold_is_refused_there_only(string path)
    {
        await Task.CompletedTask;
        ManifestEntry[] entries = [new() { Path = path }];
        ((Action)(() => SafePaths.ThrowIfUnsafe(entries, isWindows: true, ignoresCase: true))).Should().Throw<VaultException>();
        ((Action)(() => SafePaths.ThrowIfUnsafe(entries, isWindows: false, ignoresCase: false))).Should().NotThrow();
    }

    [Fact(Timeout = 10_000)]
    public async Task A_name_that_is_longer_than_the_system_takes_is_refused()
    {
        await Task.CompletedTask;
        ManifestEntry[] entries = [new() { Path = "a/" + new string('文', 200) }]; // 600 bytes of UTF-8, and 200 units of UTF-16
        ((Action)(() => SafePaths.ThrowIfUnsafe(entries, isWindows: false, ignoresCase: false))).Should().Throw<VaultException>().WithMessage("*longer*");
        ((Action)(() => SafePaths.ThrowIfUnsafe(entries, isWindows: true, ignoresCase: true))).Should().NotThrow();
    }

    [Fact(Timeout = 10_000)]
    public async Task A_path_through_a_link_or_a_file_is_refused()
    {
        await Task.CompletedTask;
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "a", Link = "b" }, new() { Path = "a/x" }], false, false))).Should().Throw<VaultException>().WithMessage("*link*");
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "A" }, new() { Path = "a" }], false, ignoresCase: true))).Should().Throw<VaultException>().WithMessage("*same name*");
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "d/e/up", Link = "../.." }, new() { Path = "out", Link = "d/e/up/.." }], false, false))).Should().Throw<VaultException>("the link 'up' is the target, and '..' leads out of it").WithMessage("*out of*");
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "d/e/up", Link = "../.." }, new() { Path = "in", Link = "d/e/up/f" }], false, false))).Should().NotThrow();
        ((Action)(() => SafePaths.ThrowIfUnsafe([new() { Path = "d/e", Link = "../f" }, new() { Path = "f" }], false, false))).Should().NotThrow();
    }
}
