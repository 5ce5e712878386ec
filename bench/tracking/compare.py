"""Gosset beside other trackers and raw SQLite: the same work for each, in turn.

``python bench/tracking/compare.py`` measures everything and writes the figures to
``build/tracking/results.json``; ``--peers``, ``--cases`` and ``--repeats`` choose.
``--write`` brings the tables to ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import environments
import tables
import work
from measuring import Measured, measure

LIMIT = 120.0
"""Seconds after which a process is cut."""

SLOW = 20_000.0
"""Milliseconds of a cell that is repeated three times at most."""


def rows(chosen: list[str]) -> dict[str, str]:
    """Return row → peer, of the peers and rows that were chosen, or of all."""
    found = {row: peer for peer, module in environments.peers().items() for row in module.TRACKERS}
    unknown = set(chosen) - set(found) - set(found.values())
    if unknown:
        sys.exit(f"no peer {min(unknown)!r}; known: {', '.join(found)}")
    return {row: peer for row, peer in found.items() if not chosen or {row, peer} & set(chosen)}


def machine() -> str:
    """Return the machine in words."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def run(chosen: dict[str, str], cases: list[str], repeats: int, limit: float) -> dict[str, Any]:
    """Measure every cell `repeats` times, one after another so that noise meets all alike."""
    cells: dict[str, dict[str, list[dict[str, Any]]]] = {c: {r: [] for r in chosen} for c in cases}
    for row, peer in chosen.items():  # what is read for the first time comes from the disk
        measure(peer, row, "start", limit)
    for number in range(repeats):
        for case in cases:
            for row, peer in chosen.items():
                done = cells[case][row]
                if done and (done[0]["wrong"] or _enough(done, case)):
                    continue  # it would fail again, or say the same
                found = measure(peer, row, case, limit)
                done.append(asdict(found))
                print(f"{number + 1}/{repeats} {case:<13}{row:<21}{_told(found)}", flush=True)
    return {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "machine": machine(),
        "python": platform.python_version(),
        "repeats": repeats,
        "limit": limit,
        "load": os.getloadavg()[1],
        "versions": _versions(set(chosen.values())),
        "power": _power(chosen),
        "cells": cells,
    }


def _enough(done: list[dict[str, Any]], case: str) -> bool:
    """Whether a cell that takes long, or only says how many values are kept, was repeated."""
    return len(done) >= 3 and (case.startswith("killed") or done[0]["process"] > SLOW)


def _told(found: Measured) -> str:
    if found.wrong:
        return found.wrong
    if found.kept is not None:
        return f"{found.kept} kept"
    read = "       –" if found.read is None else f"{found.read:8.0f}"
    return f"{found.write:8.0f} ms {read} ms {found.disk:8.1f} MiB  {found.unread}"


def _versions(peers: set[str]) -> dict[str, str]:
    every = environments.peers()
    return {p: environments.version(p, every[p].REQUIREMENTS) for p in every if p in peers}


def _power(chosen: dict[str, str]) -> dict[str, str]:
    every = environments.peers()
    return {row: every[peer].TRACKERS[row].power for row, peer in chosen.items()}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", nargs="+", default=[], help="peers or rows; by default all")
    parser.add_argument("--cases", nargs="+", default=list(work.CASES), choices=list(work.CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    chosen = rows(options.peers)
    missing = {peer for peer in chosen.values() if not environments.installed(peer)}
    if missing:
        sys.exit(f"not installed: {', '.join(sorted(missing))}; run environments.py first")
    results = run(chosen, options.cases, options.repeats, options.limit)
    place = environments.PLACE / "results.json"
    place.write_text(json.dumps(results, indent=1))
    print(tables.markdown(results))
    if options.write:
        tables.bring(
            environments.ROOT / "docs" / "benchmarks.md", "comparison", tables.markdown(results)
        )


if __name__ == "__main__":
    main()
