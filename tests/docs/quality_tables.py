"""The tables of quality in docs/behavior.md, made from docs/behavior-quality.json.

`python -m tests.docs.quality_tables` writes them anew. With files, which `secure-api behavior evaluate --json` printed,
it makes the JSON of them first; a later file replaces streams of an earlier one.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from anomaly.evaluate import OURS
from anomaly.goals import MEASURES

DOCS = Path(__file__).parents[2] / "docs"
PAGE, DATA = DOCS / "behavior.md", DOCS / "behavior-quality.json"
STANDARD = "standard"
COLUMNS = (
    "auc",
    "ap",
    "recall_1",
    "recall_01",
    "online_01",
    "realized_01",
    "found",
    "false_episodes",
    "delay",
    "worst",
)
HEADS = ("AUC", "AP", "recall at 1 %", "at 0.1 %", "at 0.1 % online", "really", "incidents found", "false episodes",
         "delay", "worst kind")  # fmt: skip


def digest(files: list[dict[str, Any]]) -> dict[str, Any]:
    """What the tables need of what was measured: means, intervals and seeds of every stream and detector."""
    streams = {}
    for found in files:
        for stream in found["streams"]:
            streams[stream["stream"], stream["detector"]] = {
                "stream": stream["stream"], "detector": stream["detector"], "seeds": found["seeds"],
                "measures": {
                    name: {part: round(value, 5) for part, value in cell.items()}
                    for name, cell in stream["measures"].items()
                },
            }  # fmt: skip
    return {"streams": list(streams.values())}


def _cell(stream: dict[str, Any], name: str, interval: bool = True) -> str:
    cell = stream["measures"].get(name)
    if cell is None:
        return ""
    digits = next((measure.digits for measure in MEASURES if measure.name == name), 3)
    half = f" ± {cell['half']:.{digits}f}" if interval and cell["half"] else ""
    return f"{cell['mean']:.{digits}f}{half}"


def _table(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def goals(data: dict[str, Any]) -> str:
    """Ours on the standard suite beside the goals."""
    (ours,) = [s for s in data["streams"] if (s["stream"], s["detector"]) == (STANDARD, OURS)]
    rows = []
    for measure in MEASURES:
        if measure.name == "microseconds" or measure.name not in ours["measures"]:
            continue
        mean = ours["measures"][measure.name]["mean"]
        met = {None: "", True: "met", False: "**missed**"}[measure.met(mean)]
        rows.append(
            [measure.title.strip(), f"{measure.goal:g}" if measure.goal else "", _cell(ours, measure.name), met]
        )
    return _table(("standard suite", "goal", "measured", ""), rows)


def suites(data: dict[str, Any]) -> str:
    """Ours on the other suites."""
    streams = [s for s in data["streams"] if s["detector"] == OURS and s["stream"] != STANDARD]
    names = ("auc", "ap", "recall_01", "found", "false_episodes")
    heads = ("suite", "AUC", "AP", "recall at 0.1 %", "incidents found", "false episodes per 10,000")
    return _table(heads, [[s["stream"], *(_cell(s, name) for name in names)] for s in streams])


def peers(data: dict[str, Any]) -> str:
    """Every detector on the standard suite."""
    streams = [s for s in data["streams"] if s["stream"] == STANDARD]
    streams.sort(key=lambda stream: -float(stream["measures"]["auc"]["mean"]))
    rows = [
        [s["detector"], f"{len(s['seeds'])}", *(_cell(s, name, interval=name in ("auc", "ap")) for name in COLUMNS)]
        for s in streams
    ]
    return _table(("detector", "seeds", *HEADS), rows)


TABLES = {"goals": goals, "suites": suites, "peers": peers}


def page_with_tables(page: str, data: dict[str, Any]) -> str:
    """The page with every table between its markers."""
    for name, make in TABLES.items():
        begin, end = f"<!-- quality {name}: begin -->", f"<!-- quality {name}: end -->"
        pattern = f"{re.escape(begin)}.*{re.escape(end)}"
        page, count = re.subn(pattern, "\n".join((begin, make(data), end)).replace("\\", r"\\"), page, flags=re.DOTALL)
        assert count == 1, f"{PAGE.name} has {count} places for the table {name}"
    return page


def main(files: list[str]) -> None:
    """Make the data, if there are files, and the page."""
    if files:
        found = digest([json.loads(Path(file).read_text()) for file in files])
        DATA.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page_with_tables(PAGE.read_text(), json.loads(DATA.read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
