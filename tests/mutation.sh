#!/usr/bin/env bash
# Mutates one room of src/HaKit, a part of it, or a package, and runs its tests against each mutant. docs/evidence/mutation.md has the results.
# usage: tests/mutation.sh ROOM [options of dotnet stryker]     e.g. tests/mutation.sh Health --mutate '**/Cooldown.cs'
# What survives the tests that the tool believes to reach it is run again with all tests, because it overlooks some.
#        tests/mutation.sh ROOM again    only the second run, of what survived the last time: after tests were written for it, and nothing else has changed
# The reports go to HAKIT_MUTATION_OUT (default: artifacts/mutation/ROOM, which git ignores).
set -eu
name=$1
export Room=$1 Part=$1 HAKIT_FUZZ_COUNT=${HAKIT_FUZZ_COUNT:-3000} HAKIT_EFFORT=${HAKIT_EFFORT:-5} HAKIT_SELECTION_POOLS=${HAKIT_SELECTION_POOLS:-20}
shift
root=$(cd "$(dirname "$0")/.." && pwd)
out=${HAKIT_MUTATION_OUT:-$root/artifacts/mutation/$name}
config=$root/tests/HaKit.Mutation/Tests/stryker-config.json
report=reports/mutation-report.json
project=() part=()
folder=$root/tests/HaKit.Mutation/Tests
only() { local file; for file in "$@"; do part+=(--mutate "**/$file"); done; }
package() { folder=$root/tests/$1.Tests project=(--project "$1.csproj"); }
# Decisions and formats are pure and have quick tests (ProspectReader and ServiceWait read the engine and are tested through calls); what carries them out (loops, timers, locks, files) has tests of seconds, far too many for a run for each mutant.
case $name in
  Waiting) Room=Failover; only Failover/Waiting/{Backoff,Healing,OutagePace,Prospects,ReturnSpreader,WaitDecision,WaitFacts,WaitingCalls}.cs ;;
  Peers) only Peers/{PeerMerge,PeerMajority,PeerFactFormat,PeerFact,OrderSignature,PeerDomains,OwnOpinion,OwnFacts,SharedLimit}.cs ;;
  Availability) package HaKit.Availability ;;
  Batch) package HaKit.Batch; only {RunDecision,ItemVerdict,BatchWindow,JournalFormat,JournalEntry}.cs ;;
  Continuity) package HaKit.Continuity; only Format/{ObjectId,ObjectName,SnapshotManifest}.cs SafePaths.cs SnapshotAges.cs ;;
esac
cd "$folder"
dotnet tool restore >/dev/null
rm -rf "$out/again" # of an earlier run
if [ "${1:-}" = again ]; then
  shift
else
  dotnet stryker --config-file "$config" "${project[@]}" "${part[@]}" --configuration Release --skip-version-check --output "$out" "$@"
fi

mapfile -t survivors < <(python3 "$root/tests/mutation.py" spans "$out/$report")
if [ ${#survivors[@]} -gt 0 ]; then
  sed 's/"perTest"/"off"/' "$config" > "$out/again.json"
  dotnet stryker --config-file "$out/again.json" "${project[@]}" --configuration Release --skip-version-check --output "$out/again" "${survivors[@]}"
fi
python3 "$root/tests/mutation.py" sum "$name" "$out/$report" "$out/again/$report" | tee "$out/sum.txt"
