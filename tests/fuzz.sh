#!/usr/bin/env bash
# Searches for inputs that break a promise of what reads bytes of others, with AFL++ (Debian: afl++) and SharpFuzz: tests/fuzz.sh [seconds for each target=600] [target...]
# What it finds is put beside the tests (tests/HaKit.Tests/Fuzz/findings), which then fail until it is repaired. The figures go to docs/evidence/fuzz.md.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-600}
[ $# = 0 ] || shift
targets=("$@")
[ $# -gt 0 ] || targets=(answer message stream outline fact recording)
out=${HAKIT_FUZZ_OUT:-$PWD/artifacts/fuzz}
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is missing: apt-get install afl++"; exit 1; }
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1
export DOTNET_TieredPGO=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

[ -n "${HAKIT_NO_BUILD:-}" ] || dotnet build tests/HaKit.Fuzz -c Release -v q --nologo
dotnet tool restore >/dev/null
rm -rf "$out"
mkdir -p "$out"
cp -r tests/HaKit.Fuzz/bin/Release/net10.0 "$out/bin"
dotnet sharpfuzz "$out/bin/HaKit.dll" HaKit.Faults HaKit.Dialects HaKit.Http HaKit.Peers HaKit.Recording
plain=tests/HaKit.Fuzz/bin/Release/net10.0/HaKit.Tests.dll
found=0
table=$'| target | executions | a second | inputs kept for new paths | findings | timeouts |\n|---|--:|--:|--:|--:|--:|'
for target in "${targets[@]}"; do
  dotnet "$plain" seeds "$target" "$out/$target/in"
  timeout $((seconds + 300)) afl-fuzz -i "$out/$target/in" -o "$out/$target/out" -t 10000 -m none -V "$seconds" dotnet "$out/bin/HaKit.Tests.dll" fuzz "$target" >"$out/$target/log" 2>&1 ||
    { tail -5 "$out/$target/log"; exit 1; }
  stats=$out/$target/out/default/fuzzer_stats
  value() { sed -nE "s/^$1 +: +//p" "$stats"; }
  crashes=$(value saved_crashes) hangs=$(value saved_hangs)
  found=$((found + crashes + hangs))
  # The same broken promise is found again and again: the first of each.
  declare -A seen=()
  for file in "$out/$target/out/default/crashes"/id*; do
    [ -f "$file" ] || continue
    why=$(dotnet "$plain" run "$target" "$file" 2>&1 | grep -m2 -E 'Unhandled|^ +at HaKit' | tr -d '0-9' || true)
    [ -z "${seen[$why]:-}" ] || continue
    seen[$why]=1
    mkdir -p "tests/HaKit.Tests/Fuzz/findings/$target"
    cp "$file" "tests/HaKit.Tests/Fuzz/findings/$target/$(sha256sum "$file" | cut -c1-12)"
    echo "$target: $why"
  done
  table+=$'\n'"| $target | $(value execs_done) | $(printf '%.0f' "$(value execs_per_sec)") | $(value corpus_count) | $crashes | $hangs |"
  echo "$target: $(value execs_done) executions, $(value corpus_count) inputs kept, $crashes findings, $hangs timeouts"
done
[ ${#targets[@]} -lt 6 ] || printf '%s seconds for each target, %s.\n\n%s\n' "$seconds" "$(date -u +%F)" "$table" | python3 tests/page.py docs/evidence/fuzz.md search
[ "$found" = 0 ]
