"""What is in a catalog, told without the numbers and keys that are its own."""

from __future__ import annotations

import dataclasses
from typing import Any

from gosset.entities import Dataset, Execution, Launch, Run
from gosset.series import unpack
from gosset.storage.base import Catalog


def content(catalog: Catalog) -> dict[str, Any]:
    """Return all that two stores must have in common after a merge."""
    prints = {
        (e.project, e.experiment, e.number): e.fingerprint
        for e in catalog.select("executions")
        if isinstance(e, Execution)
    }
    digests = {
        f"{d.name}@{d.version}": d.digest
        for d in catalog.select("datasets")
        if isinstance(d, Dataset)
    }
    launches = [launch for launch in catalog.select("launches") if isinstance(launch, Launch)]
    ids = {(x.project, x.experiment, x.number): x.id for x in launches}

    def plain(entity: Any, **instead: object) -> str:
        told = {f.name: getattr(entity, f.name) for f in dataclasses.fields(entity)} | instead
        for name in ("params", "fields", "config", "metrics"):
            if isinstance(told.get(name), dict):
                told[name] = sorted((key, repr(value)) for key, value in told[name].items())
        return repr(sorted(told.items()))

    found: dict[str, Any] = {
        kind: sorted(plain(entity) for entity in catalog.select(kind))
        for kind in ("projects", "experiments", "cache")
    }
    for kind in ("executions", "datasets"):
        own = {"number": 0} if kind == "executions" else {"version": 0}
        found[kind] = sorted(plain(each, **own) for each in catalog.select(kind))
    found["launches"] = sorted(
        plain(x, number=0, execution=prints.get((x.project, x.experiment, x.execution)))
        for x in launches
    )
    found["launch computations"] = sorted(
        plain(c) for x in launches for c in catalog.computations(launch_id=x.id)
    )
    for run in catalog.select("runs"):
        assert isinstance(run, Run)
        place = run.project, run.experiment
        named = run.name == f"{run.experiment}#{run.number}"
        found[run.id] = {
            "facts": plain(
                run,
                number=0,
                launch=ids[(*place, run.launch)],
                execution=prints.get((*place, run.execution)),
                name="" if named else run.name,
                tags=sorted(run.tags),
                dataset=digests.get(run.dataset or "", run.dataset),
            ),
            "series": {
                name: sorted(map(repr, zip(*columns(chunks), strict=True)))
                for name, chunks in catalog.series(run.id).items()
            },
            "artifacts": sorted(map(repr, catalog.artifacts(run.id))),
            "attempts": [plain(a, execution=0) for a in catalog.attempts(run.id)],
            "computations": sorted(plain(c) for c in catalog.computations(run.id)),
            "console": sorted((p.time, p.stream, p.text) for p in catalog.console(run.id)),
        }
    return found


def columns(chunks: Any) -> tuple[list[Any], list[Any], list[Any]]:
    points = unpack(chunks)
    return points.steps, points.values, points.times
