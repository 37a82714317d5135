"""Reads reports of dotnet stryker: `spans REPORT` prints options that choose what survived, `sum NAME REPORT [AGAIN]` a row for docs/evidence/mutation.md and
the survivors, and `page SUM DATE` puts what `sum` printed into the pages of docs/evidence."""
import collections
import json
import os
import subprocess
import sys

ALIVE = ("Survived", "NoCoverage")
COUNTED = ("Killed", "Timeout") + ALIVE


def files(path):
    return json.load(open(path))["files"].items() if os.path.exists(path) else ()


def spans(report):
    for name, file in files(report):
        starts = [0]
        for line in file["source"].split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        offset = lambda at: starts[at["line"] - 1] + at["column"] - 1
        found = sorted({(offset(m["location"]["start"]), offset(m["location"]["end"])) for m in file["mutants"] if m["status"] in ALIVE})
        if found:
            print("--mutate")
            print("**/" + name.split("/")[-1] + "".join("{%d..%d}" % span for span in found))


def key(name, mutant):
    return name.split("/src/")[-1], str(mutant["location"]), mutant["mutatorName"], mutant["replacement"]


def total(title, report, again=""):
    second = {key(name, m): m["status"] for name, file in files(again) for m in file["mutants"]}
    count, alive = collections.Counter(), []
    for name, file in sorted(files(report)):
        lines = file["source"].splitlines()
        for m in file["mutants"]:
            status = m["status"]
            if status in ALIVE and second.get(key(name, m)) in ("Killed", "Timeout"):
                status = second[key(name, m)]
            count[status] += 1
            if status in ALIVE:
                at, end = m["location"]["start"], m["location"]["end"]
                line = lines[at["line"] - 1]
                was = line[at["column"] - 1:end["column"] - 1] if at["line"] == end["line"] else line[at["column"] - 1:] + " …"
                alive.append(f'{status}: {name.split("/src/")[-1]}:{at["line"]} {was!r} → {m["replacement"][:160]!r}')
    killed, timeout, survived, uncovered = (count[s] for s in COUNTED)
    everything = sum(count[s] for s in COUNTED)
    print(f"| `{title}` | {everything} | {killed} | {timeout} | {survived} | {uncovered} | {100 * (killed + timeout) / max(everything, 1):.1f} % |")
    print(*alive, sep="\n")


def page(summary, date):
    """The row goes into the table of the scores, the survivors below the heading of their room."""
    here, pages = os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "../docs/evidence")
    row, *alive = open(summary, encoding="utf-8").read().strip("\n").split("\n")
    room = row.split("|")[1].strip()
    put = [sys.executable, os.path.join(here, "page.py")]
    subprocess.run([*put, f"{pages}/mutation.md", "scores", "--row", room], input=f"{row} {date} |", text=True, check=True)
    subprocess.run([*put, f"{pages}/survivors.md", room.strip("`")], input="\n".join(["```text", *alive, "```"]), text=True, check=True)


def least(summary, aim):
    """Fails if the score is below the aim, in percent."""
    score = float(open(summary, encoding="utf-8").readline().split("|")[7].strip(" %"))
    if score < float(aim):
        sys.exit(f"The score is {score} %, and {aim} % is the aim.")


if sys.argv[1] == "spans":
    spans(*sys.argv[2:])
elif sys.argv[1] == "page":
    page(*sys.argv[2:])
elif sys.argv[1] == "least":
    least(*sys.argv[2:])
else:
    total(*sys.argv[2:])
