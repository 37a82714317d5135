using System.Globalization;
using HaKit.Continuity.Format;

namespace HaKit.Continuity;

/// <summary>Converts the settings to options, and reports invalid settings. No message shows a key or a SAS address.</summary>
internal static class VaultSettings
{
    /// <summary>The largest number of days for which snapshots can be kept: a hundred years.</summary>
    public const double MostDays = 36_500;

    private const int KeySize = 32;

    // A periodic timer accepts intervals from 1 ms to 49 days. These limits are well inside that range, because the schedule varies the interval by 10 %.
    private static readonly TimeSpan s_shortestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestInterval = TimeSpan.FromDays(30);

    public static IEnumerable<string> Problems(VaultOptions options)
    {
        string[] missing = [.. Missing(options)];
        return missing.Length > 0 ? missing : ProblemsOf(options); // the other checks would read missing values
    }

    // A value that the configuration does not have is null in code: options.Keys["1"] = configuration["VaultKey"]!.
    private static IEnumerable<string> Missing(VaultOptions options)
    {
        if (options.Destinations is null)
            yield return "Destinations is null. Give a list of destinations, each with a Name and a Folder or BlobSas.";
        else if (options.Destinations.Contains(null!))
            yield return "Destinations has an entry that is null. Remove it, or give it a Name and a Folder or BlobSas.";
        if (options.Keys is null)
            yield return "Keys is null. Add Keys:1 with 32 random bytes in Base64 (openssl rand -base64 32).";
        foreach (var number in options.Keys?.Where(static k => k.Value is null).Select(static k => k.Key) ?? [])
            yield return $"Keys:{Shorten(number)} is null: perhaps the configuration does not have the key. Give it 32 random bytes in Base64 (openssl rand -base64 32).";
    }

    private static IEnumerable<string> ProblemsOf(VaultOptions options)
    {
        if (options.Destinations.Count == 0)
            yield return "Destinations is empty: a vault needs at least one, with a Name and a Folder or BlobSas.";
        for (var i = 0; i < options.Destinations.Count; i++)
        {
            var destination = options.Destinations[i];
            var given = (destination.Folder is null ? 0 : 1) + (destination.BlobSas is null ? 0 : 1) + (destination.Given() is null ? 0 : 1);
            if (string.IsNullOrWhiteSpace(destination.Name))
                yield return $"Destinations:{i}:Name is empty: a destination needs a name.";
            if (given != 1)
                yield return $"Destinations:{i} ('{destination.Name}') has {given} of Folder, BlobSas and a destination in code: exactly one is needed.";
        }
        foreach (var problem in VaultPlaces.Problems(options))
            yield return problem;
        foreach (var name in options.Destinations.GroupBy(d => d.Name).Where(g => g.Count() > 1).Select(g => g.Key))
            yield return $"Destinations has two of the name '{name}'. Give each destination a name of its own.";
        foreach (var alike in options.Destinations.Select(d => d.Name).Distinct(StringComparer.Ordinal).GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            yield return $"Destinations has '{string.Join("' and '", alike)}', which differ only in capital letters. Give each destination a name of its own.";
        if (options.Keys.Count == 0)
            yield return "Keys is empty: add Keys:1 with 32 random bytes in Base64 (openssl rand -base64 32), and keep a copy away from this machine.";
        foreach (var (number, secret) in options.Keys)
        {
            if (!uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                yield return $"Keys:{Shorten(number)} is not a number: keys are numbered 1, 2, 3.";
            if (Decode(secret) is null)
                yield return $"Keys:{Shorten(number)} is not 32 bytes in Base64 (openssl rand -base64 32).";
        }
        if (options.ActiveKey is { } active && !options.Keys.ContainsKey(active.ToString(CultureInfo.InvariantCulture)))
            yield return $"ActiveKey is {active}, and Keys has no such number. Add Keys:{active}, or set ActiveKey to a number that Keys has.";
        foreach (var same in options.Keys.GroupBy(static k => k.Value.Trim(), StringComparer.Ordinal).Where(static g => g.Count() > 1))
            yield return $"Keys:{string.Join(" and Keys:", same.Select(static k => Shorten(k.Key)))} are the same key. Give each number a key of its own (openssl rand -base64 32).";
        foreach (var mistake in TimeMistakes(options).OfType<string>())
            yield return mistake;
        if (options.Every is not null && options.MeanTimeToLoss is not null)
        {
            yield return "Every and MeanTimeToLoss are both set. Set one of them: Every gives the interval, MeanTimeToLoss lets the vault choose it.";
        }
        if ((options.Every ?? options.MeanTimeToLoss) is not null && options.Source is null)
        {
            yield return $"{(options.Every is null ? "MeanTimeToLoss" : "Every")} is set and Source is not: the schedule needs something to save.";
        }
        if (options.Every is { } interval && options.MaxAge < interval)
            yield return $"MaxAge is {DurationText.OfSetting(options.MaxAge)}, shorter than Every, {DurationText.OfSetting(interval)}: the health check would fail between two saves. Make MaxAge longer than Every.";
        if (options.MeanTimeToLoss is not null && options.MaxAge < SaveInterval.Shortest)
            yield return $"MaxAge is {DurationText.OfSetting(options.MaxAge)}, shorter than the shortest interval of MeanTimeToLoss, {DurationText.OfSetting(SaveInterval.Shortest)}: the health check would fail between two saves. Make MaxAge longer, or set Every in place of MeanTimeToLoss.";
        if (options.Copies < 1 || options.Copies > options.Destinations.Count)
            yield return $"Copies is {options.Copies}: from 1 to the number of destinations ({options.Destinations.Count}) is needed.";
        if (options.KeepLast is < 1)
            yield return $"KeepLast is {options.KeepLast}: at least 1 is needed.";
        if (options.KeepDays is { } days && SettingRange.FindAboveZero("KeepDays", days, MostDays) is { } wrong)
            yield return wrong;
    }

    private static IEnumerable<string?> TimeMistakes(VaultOptions options) =>
    [
        SettingRange.FindAboveZero("OperationTimeout", options.OperationTimeout),
        SettingRange.Find("Grace", options.Grace),
        SettingRange.FindAboveZero("TombstoneLife", options.TombstoneLife),
        options.Every is { } every ? SettingRange.Find("Every", every, s_shortestInterval, s_longestInterval) : null,
        options.MeanTimeToLoss is { } loss ? SettingRange.FindAboveZero("MeanTimeToLoss", loss) : null,
        options.MaxAge is { } age ? SettingRange.FindAboveZero("MaxAge", age) : null,
    ];

    public static VaultKeyRing KeyRing(VaultOptions options)
    {
        var secrets = options.Keys.ToDictionary(k => uint.Parse(k.Key, CultureInfo.InvariantCulture), k => Decode(k.Value)!);
        return new VaultKeyRing(secrets, options.ActiveKey ?? secrets.Keys.Max());
    }

    /// <summary>Adds each destination to the options of the vault's pool, as an endpoint.</summary>
    public static void Describe(EndpointPoolOptions pool, VaultOptions options, Func<HttpClient> http)
    {
        // The objects have from 100 bytes to hundreds of megabytes. So the times of earlier operations do not show how long an operation may take, and only
        // OperationTimeout limits it.
        (pool.FirstContent.Minimum, pool.FirstContent.Timeout) = (options.OperationTimeout, options.OperationTimeout);
        foreach (var destination in options.Destinations)
            pool.Endpoints.Add(new EndpointOptions { Name = destination.Name, Client = Make(destination, http), Provider = "vault" });
    }

    private static IVaultDestination Make(VaultDestinationOptions destination, Func<HttpClient> http)
    {
        if (destination.Given() is { } own)
            return own;
        return destination.Folder is { } folder ? new FolderDestination(folder) : new AzureBlobDestination(new Uri(destination.BlobSas!), http());
    }

    private static byte[]? Decode(string secret)
    {
        Span<byte> bytes = stackalloc byte[KeySize + 2];
        return Convert.TryFromBase64String(secret.Trim(), bytes, out var length) && length == KeySize ? bytes[..KeySize].ToArray() : null;
    }

    // A key that was written in place of its number must not be shown.
    private static string Shorten(string number) => number.Length <= 10 ? number : "…";
}
