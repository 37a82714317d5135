"""Puts figures into a page: `page.py PAGE NAME` replaces what stands between the marks of NAME by standard input. tests/EvidencePage.cs does the same.

`page.py PAGE NAME --row KEY` keeps the table that stands there and replaces the row that begins with KEY, or adds it.
"""
import sys

page, name = sys.argv[1:3]
text = open(page, encoding="utf-8").read()
begin, end = f"<!-- figures: {name} -->\n", f"<!-- end of figures: {name} -->"
if begin not in text or end not in text:
    sys.exit(f"{page} has no place for figures: {begin.strip()}")
before, rest = text.split(begin, 1)
old, after = rest.split(end, 1)
new = sys.stdin.read().strip("\n")
if len(sys.argv) == 5:
    rows = old.strip("\n").split("\n")
    at = [i for i, row in enumerate(rows) if row.startswith(f"| {sys.argv[4]} |")]
    rows[at[0] if at else len(rows):at[0] + 1 if at else len(rows)] = [new]
    new = "\n".join(rows)
open(page, "w", encoding="utf-8").write(f"{before}{begin}{new}\n{end}{after}")
