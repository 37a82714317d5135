#!/usr/bin/env bash
# Tries schedules of the wait queue, of a heartbeat and of the end of a stream with Coyote: tests/schedules.sh [schedules of each scenario=10000]. The figures go to docs/evidence/schedules.md.
set -eu
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_ROLL_FORWARD=Major
out=artifacts/schedules
[ -n "${HAKIT_NO_BUILD:-}" ] || dotnet build tests/HaKit.Schedules -c Release -v q --nologo
dotnet tool restore >/dev/null
rm -rf "$out"
mkdir -p artifacts
cp -r tests/HaKit.Schedules/bin/Release/net10.0 "$out"
(cd tests/HaKit.Schedules && dotnet coyote rewrite coyote.json >"../../$out/rewrite.log") || { tail -5 "$out/rewrite.log"; exit 1; }
status=0
dotnet "$out/HaKit.Tests.dll" "${1:-10000}" >"$out/run.log" 2>&1 || status=$?
grep -v 'Iteration #' "$out/run.log" | grep -vE '^\.\.' || true
{ echo '```text'; sed -n 's/^EVIDENCE //p' "$out/run.log"; echo '```'; } | python3 tests/page.py docs/evidence/schedules.md schedules
exit $status
