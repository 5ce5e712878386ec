"""Things to put into a catalog, each different from the last."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime

from gosset.entities import (
    ArtifactRef,
    CacheEntry,
    Column,
    Computation,
    ComputationStatus,
    Dataset,
    Launch,
    Run,
)
from gosset.identifiers import new_id
from gosset.storage.base import Catalog
from gosset.storage.changes import Batch, NewRun, RunUpdate

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
_numbers = itertools.count()


def digest(text: str | None = None) -> str:
    return hashlib.sha256((text or f"fresh {next(_numbers)}").encode()).hexdigest()


def artifact(name: str = "output", *, inline: bytes | None = None) -> ArtifactRef:
    return ArtifactRef(name=name, format="npy", digest=digest(), size=100, inline=inline)


def launch(catalog: Catalog, project: str = "Examples", experiment: str = "iris") -> Launch:
    found = catalog.ensure_experiment(project, experiment)
    execution = catalog.ensure_execution(found.id, "fingerprint", {})
    return catalog.add_launch(found.id, execution=execution.number)


def runs(catalog: Catalog, *params: dict[str, object], of: Launch | None = None) -> list[Run]:
    """Add a run for each set of parameters."""
    new = [NewRun(params=each, group=digest()) for each in params]  # type: ignore[arg-type]
    return catalog.add_runs((of or launch(catalog)).id, new)


def update(catalog: Catalog, run: Run, **changes: object) -> Run:
    """Record a change of a run and return it as it is then."""
    catalog.record(Batch(runs=[RunUpdate(id=run.id, **changes)]))  # type: ignore[arg-type]
    found = catalog.find("runs", run.id)
    assert isinstance(found, Run)
    return found


def computation(of: Launch, run: Run | None, **changes: object) -> Computation:
    given: dict[str, object] = {
        "id": new_id(),
        "launch": of.id,
        "run": None if run is None else run.id,
        "stage": "train",
        "fold": None,
        "status": ComputationStatus.COMPUTED,
    }
    return Computation(**{**given, **changes})  # type: ignore[arg-type]


def entry(**changes: object) -> CacheEntry:
    given: dict[str, object] = {
        "key": digest(),
        "recipe": digest(),
        "stage": "train",
        "parts": {"code": {"train": "abc"}, "parameters": {"lr": 0.1}},
        "outputs": (artifact(),),
        "wall": 1.5,
        "created": NOON,
    }
    return CacheEntry(**{**given, **changes})  # type: ignore[arg-type]


def dataset(name: str = "iris", content: str = "first") -> Dataset:
    return Dataset(
        name=name,
        version=0,
        digest=digest(content),
        columns=(
            Column(name="width", dtype="float64", unit="cm"),
            Column(name="species", dtype="int64", role="target", labels=("a", "b")),
        ),
        rows=150,
        content=(artifact("X"), artifact("y", inline=b"\x00\xff")),
        source="iris.csv",
    )
