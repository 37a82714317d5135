#!/usr/bin/env bash
# Mutates one room of src/HaKit, or HaKit.Availability, and runs that room's tests against each mutant. docs/mutation.md has the results.
# usage: tests/mutation.sh ROOM [options of dotnet stryker]     e.g. tests/mutation.sh Health --mutate '**/Cooldown.cs'
# The report goes to HAKIT_MUTATION_OUT (default: artifacts/mutation/ROOM, which git ignores).
set -eu
export Room=$1 HAKIT_FUZZ_COUNT=${HAKIT_FUZZ_COUNT:-3000} HAKIT_EFFORT=${HAKIT_EFFORT:-5} HAKIT_SELECTION_POOLS=${HAKIT_SELECTION_POOLS:-20}
shift
root=$(cd "$(dirname "$0")/.." && pwd)
out=${HAKIT_MUTATION_OUT:-$root/artifacts/mutation/$Room}
if [ "$Room" = Availability ]; then
  cd "$root/tests/HaKit.Availability.Tests"
  set -- --config-file ../HaKit.Mutation/Tests/stryker-config.json --project HaKit.Availability.csproj "$@"
else
  cd "$root/tests/HaKit.Mutation/Tests"
fi
dotnet tool restore >/dev/null
dotnet stryker --configuration Release --skip-version-check --output "$out" "$@"
python3 - "$out/reports/mutation-report.json" "$Room" <<'PY'
import collections, json, sys
files = json.load(open(sys.argv[1]))["files"]
count = collections.Counter(m["status"] for f in files.values() for m in f["mutants"])
killed, timeout, survived, uncovered = (count[s] for s in ("Killed", "Timeout", "Survived", "NoCoverage"))
total = killed + timeout + survived + uncovered
print(f"| {sys.argv[2]} | {total} | {killed} | {timeout} | {survived} | {uncovered} | {100 * (killed + timeout) / max(total, 1):.1f} % |")
for name, file in sorted(files.items()):
    for m in file["mutants"]:
        if m["status"] in ("Survived", "NoCoverage"):
            at, end = m["location"]["start"], m["location"]["end"]
            line = file["source"].splitlines()[at["line"] - 1]
            was = line[at["column"] - 1:end["column"] - 1] if at["line"] == end["line"] else line[at["column"] - 1:] + " …"
            print(f'{m["status"]}: {name.split("/src/")[-1]}:{at["line"]} {m["mutatorName"]}: {was!r} → {m["replacement"][:160]!r}')
PY
