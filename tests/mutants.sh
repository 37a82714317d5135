#!/usr/bin/env bash
# Two bugs are planted in the source of a temporary copy, one at a time, and the swarm is expected to find each: a swarm that finds nothing proves nothing.
# usage: tests/mutants.sh [SEEDS]   (default 2000)
set -eu
cd "$(dirname "$0")/.."
seeds=${1:-2000}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$copy"

mutant() { # name, file, what, by what
  local file="$copy/$2"
  cp "$file" "$copy/kept"
  FROM=$3 TO=$4 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/ or die "the source has changed: the mutant does not fit\n"' "$file"
  dotnet build "$copy/tests/HaKit.Testing.Tests/HaKit.Testing.Tests.csproj" -v q --nologo >"$copy/log" 2>&1 || { tail -5 "$copy/log"; echo "$1: does not build"; exit 1; }
  if HAKIT_SWARM_SEEDS=$seeds HAKIT_SWARM_SHOWN=1 dotnet run --project "$copy/tests/HaKit.Testing.Tests" --no-build -- \
    -method HaKit.Testing.Tests.Swarm.SwarmTests.No_promise_is_broken_in_2000_lives >"$copy/log" 2>&1; then
    echo "$1: NOT found"
    exit 1
  fi
  echo "$1: found; $(grep -m1 -oE '[0-9]+ of [0-9]+ seeds broke a promise' "$copy/log")"
  grep -m1 'broken:' "$copy/log" || true
  mv "$copy/kept" "$file"
}

mutant "trial slot leaked" src/HaKit/Health/HealthReducer.cs \
  'return isTrialAnswer ? state.EndUndecidedTrial(fault, now, evidence.Jitter, options) : state;' \
  'return state;'
mutant "cooldown shortened" src/HaKit/Health/Cooldown.cs \
  'var until = now + length;' \
  'var until = now + length * 0.8;'
