using HaKit.Tests.Fuzz;
using SharpFuzz;

// fuzz TARGET: the fuzzer's side of one target. seeds TARGET FOLDER: writes the first inputs. run TARGET FILE…: runs each file once, to reproduce a finding.
switch (args)
{
    case ["fuzz", var target]:
        var run = FuzzTargets.All[target];
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            run(input.ToArray());
        });
        return 0;
    case ["seeds", var target, var folder]:
        Directory.CreateDirectory(folder);
        foreach (var (seed, number) in FuzzSeeds.Of(target).Select(static (s, i) => (s, i)))
            File.WriteAllBytes(Path.Combine(folder, $"seed-{number}"), seed);
        return 0;
    case ["run", var target, .. var files]:
        foreach (var file in files)
            FuzzTargets.All[target](File.ReadAllBytes(file));
        return 0;
    default:
        Console.Error.WriteLine($"usage: fuzz TARGET | seeds TARGET FOLDER | run TARGET FILE...   targets: {string.Join(", ", FuzzTargets.All.Keys)}");
        return 2;
}
