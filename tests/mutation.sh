#!/usr/bin/env bash
# Mutates one room of src/HaKit, or HaKit.Availability, and runs that room's tests against each mutant. docs/evidence/mutation.md has the results.
# usage: tests/mutation.sh ROOM [options of dotnet stryker]     e.g. tests/mutation.sh Health --mutate '**/Cooldown.cs'
# What survives the tests that the tool believes to reach it is run again with all tests, because it overlooks some.
# The reports go to HAKIT_MUTATION_OUT (default: artifacts/mutation/ROOM, which git ignores).
set -eu
export Room=$1 HAKIT_FUZZ_COUNT=${HAKIT_FUZZ_COUNT:-3000} HAKIT_EFFORT=${HAKIT_EFFORT:-5} HAKIT_SELECTION_POOLS=${HAKIT_SELECTION_POOLS:-20}
shift
root=$(cd "$(dirname "$0")/.." && pwd)
out=${HAKIT_MUTATION_OUT:-$root/artifacts/mutation/$Room}
config=$root/tests/HaKit.Mutation/Tests/stryker-config.json
report=reports/mutation-report.json
if [ "$Room" = Availability ]; then
  cd "$root/tests/HaKit.Availability.Tests"
  project=(--project HaKit.Availability.csproj)
else
  cd "$root/tests/HaKit.Mutation/Tests"
  project=()
fi
rm -rf "$out/again" # of an earlier run
dotnet tool restore >/dev/null
dotnet stryker --config-file "$config" "${project[@]}" --configuration Release --skip-version-check --output "$out" "$@"

mapfile -t survivors < <(python3 "$root/tests/mutation.py" spans "$out/$report")
if [ ${#survivors[@]} -gt 0 ]; then
  sed 's/"perTest"/"off"/' "$config" > "$out/again.json"
  dotnet stryker --config-file "$out/again.json" "${project[@]}" --configuration Release --skip-version-check --output "$out/again" "${survivors[@]}"
fi
python3 "$root/tests/mutation.py" sum "$Room" "$out/$report" "$out/again/$report"
