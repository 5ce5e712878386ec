"""The datasets and splits of a launch: kept before its work begins, by their digests."""

from __future__ import annotations

from ..artifacts.values import keep
from ..compiling.prepared import Folds, Loaded, Prepared
from ..entities import Dataset
from ..exceptions import NotFoundError
from ..filters import equal
from ..storage.base import Split
from ..store import Store


def write_inputs(prepared: Prepared, store: Store) -> None:
    """Keep the datasets and splits of a launch, where they are not kept yet."""
    for loaded in (prepared.data, *prepared.others.values()):
        if loaded is not None:
            stored(loaded, store)
    for settled in prepared.runs:
        if settled.folds is not None:
            _write_split(settled.folds, store)


def stored(loaded: Loaded, store: Store) -> Dataset:
    """Return the dataset as the store has it, after putting there what is missing of it."""
    from ..datasets.content import to_entity

    same = equal(name=loaded.name, digest=loaded.data.digest)
    for found in store.select("datasets", same):
        assert isinstance(found, Dataset)
        told = found.columns == loaded.data.columns
        told = told and loaded.description in ("", found.description)
        there = (a.inline is not None or store.artifacts.contains(a.digest) for a in found.content)
        if told and all(there):
            return found
    entity = to_entity(
        loaded.name,
        loaded.data,
        store.artifacts,
        description=loaded.description,
        source=loaded.source,
    )
    return store.catalog.ensure_dataset(entity)


def _write_split(folds: Folds, store: Store) -> None:
    from ..splits import folds_to_bytes

    try:
        kept = store.catalog.split(folds.digest).artifact
        if kept.inline is not None or store.artifacts.contains(kept.digest):
            return
    except NotFoundError:
        pass
    artifact = keep(folds_to_bytes(folds.folds), "folds", store.artifacts, format="bytes")
    store.catalog.ensure_split(
        Split(
            digest=folds.digest,
            folds=len(folds.folds),
            artifact=artifact,
            description=folds.description,
        )
    )
