#!/usr/bin/env bash
# The lines of src that the tests run: tests/coverage.sh [least=95] [page]. Prints a row for each package and room, and names the file that lists the lines no test runs.
# Fails below the least. The collector makes the assemblies refer to more than they do, so the test of what HaKit.AI stands on fails under it.
set -u
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
unset CI # paths of a deterministic build would hide the sources from the collector
unset HAKIT_EVIDENCE # a short test runs the same lines as the long one of the evidence
export HAKIT_TEST_LIMIT=0 # the collector slows every test down
least=${1:-95}
page=${2:-}
out=$(mktemp -d)
dotnet build HaKit.sln -v q --nologo >"$out/build.log" 2>&1 || { tail -5 "$out/build.log"; exit 1; }
dotnet test HaKit.sln --no-build --collect "XPlat Code Coverage" --results-directory "$out" -v q -- \
  DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.Include='[HaKit*]*' \
  DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.Exclude='[*.Tests]*,[HaKit.Sample*]*' \
  DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.ExcludeByFile='**/obj/**' \
  >"$out/tests.log" 2>&1 || { grep -E "\[FAIL\]|error" "$out/tests.log" | head -20; echo "some tests failed; the lines are counted all the same"; }

# A line is covered if any of the assemblies' tests runs it.
table=$(find "$out" -name coverage.cobertura.xml -exec cat {} + | awk -v root="$PWD/" -v least="$least" -v missed="$out/missed.txt" '
  function attribute(name,   at, rest) {
    at = index($0, " " name "=\""); if (!at) return ""
    rest = substr($0, at + length(name) + 3); return substr(rest, 1, index(rest, "\"") - 1)
  }
  /<source>/ { source = $0; gsub(/.*<source>|<\/source>.*/, "", source) }
  /<class / { file = attribute("filename"); if (substr(file, 1, 1) != "/") file = source file; sub(root, "", file) }
  /<line / && file ~ /^src\// && file !~ /\/obj\// { key = file ":" attribute("number"); if (!(key in hits)) hits[key] = 0; hits[key] += attribute("hits") }
  END {
    for (key in hits) {
      split(key, at, ":"); n = split(at[1], part, "/")
      room = part[2] (part[2] == "HaKit" && n > 3 ? "/" part[3] : "")
      lines[room]++; all++
      if (hits[key] > 0) { covered[room]++; reached++ } else print key > missed
    }
    if (!all) { print "nothing was collected"; exit 1 }
    for (room in lines) printf "| %s | %d | %.1f %% |\n", room, lines[room], 100 * covered[room] / lines[room] | "sort"
    close("sort")
    printf "| all of src | %d | %.1f %% |\n", all, 100 * reached / all
    exit 100 * reached / all < least
  }')
status=$?
echo "$table"
[ -z "$page" ] || cat >"$page" <<PAGE
# Coverage

The table shows how many lines of \`src\` at least one test runs, by package and room. A test may run a line without checking its result. [Mutation testing](mutation.md) shows how many changes the tests find.

\`\`\`sh
tests/coverage.sh $least docs/evidence/coverage.md
\`\`\`

| part | lines | run by a test |
|---|---|---|
$table

The remaining lines are mostly of three kinds: members of \`Stream\` that only throw \`NotSupportedException\`, guards against exceptions in user code, and code that runs only in races.
PAGE
echo "lines that no test runs: $out/missed.txt"
exit $status
