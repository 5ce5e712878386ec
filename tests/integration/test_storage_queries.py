"""How the database answers: along its indexes, whatever the number of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gosset.entities import CacheEntry, Metric
from gosset.filters import parse
from gosset.identifiers import now
from gosset.storage import open_catalog
from gosset.storage.base import Order
from gosset.storage.changes import Batch, NewRun, RunUpdate
from gosset.storage.sql import SQLCatalog

ACCURACY = [Order("metrics.accuracy", descending=True)]

QUERIES: dict[str, tuple[Callable[[SQLCatalog], object], str]] = {
    "the best runs": (
        lambda c: c.select("runs", order=ACCURACY, limit=50),
        "ix_run_metrics_name_value_run_direction (name=? AND value>?)",
    ),
    "the best of some": (
        lambda c: c.select("runs", where=parse("params.lr > 0.5"), order=ACCURACY, limit=50),
        "ix_run_params_name_number_run (name=? AND number>?)",
    ),
    "those with a text": (
        lambda c: c.count("runs", where=parse("params.kernel == 'rbf'")),
        "ix_run_params_name_text_run (name=? AND text=?)",
    ),
    "one by its number": (
        lambda c: c.find("runs", "E#1"),
        "(experiment=? AND number=?)",
    ),
    "cache entries": (lambda c: c.entries(["a", "b"]), "(key=?)"),
    "candidates": (lambda c: c.candidates(["a", "b"]), "ix_cache_entries_recipe (recipe=?)"),
    "computations of a run": (
        lambda c: c.computations("none"),
        "ix_computations_run_stage_fold (run=?)",
    ),
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SQLCatalog]:
    """A store with one run that has a parameter of each type and a metric."""
    catalog = open_catalog(f"sqlite:///{tmp_path}/store.db")
    assert isinstance(catalog, SQLCatalog)
    launch = catalog.add_launch(catalog.ensure_experiment("P", "E").id, execution=1)
    new = NewRun(params={"lr": 0.1, "kernel": "rbf"}, group="g")
    [run] = catalog.add_runs(launch.id, [new])
    update = RunUpdate(id=run.id, metrics=[Metric(name="accuracy", value=0.9)])
    catalog.record(Batch(runs=[update]))
    yield catalog
    catalog.close()


def _plans(catalog: SQLCatalog, ask: Callable[[SQLCatalog], object]) -> list[str]:
    """Return how SQLite answers each SELECT behind a call, in its own words."""
    engine = catalog._database._engine
    plans: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def explain(_: Any, cursor: Any, statement: str, values: Any, *__: Any) -> None:
        if statement.startswith("SELECT"):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append("\n".join(row[3] for row in plan))

    ask(catalog)
    return plans


@pytest.mark.parametrize("name", QUERIES)
def test_what_is_asked_often_is_answered_from_an_index(catalog: SQLCatalog, name: str) -> None:
    ask, index = QUERIES[name]
    plans = _plans(catalog, ask)
    assert any(index in plan for plan in plans), "\n--\n".join(plans)
    for plan in plans:
        assert "SCAN computations" not in plan
        assert "SCAN cache_entries" not in plan
        assert "SCAN run_" not in plan


def test_the_first_of_many_need_no_sort(catalog: SQLCatalog) -> None:
    for order in (ACCURACY, [Order("params.lr")], []):
        for plan in _plans(catalog, lambda c, o=order: c.select("runs", order=o, limit=1)):
            assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_cache_entries_are_locked_in_the_order_of_their_keys(catalog: SQLCatalog) -> None:
    keys = ["b", "c", "a"]
    entries = [
        CacheEntry(key=key, recipe="r", stage="s", parts={}, outputs=(), wall=None, created=now())
        for key in keys
    ]
    asked: list[tuple[str, tuple[object, ...]]] = []

    @sa.event.listens_for(catalog._database._engine, "before_cursor_execute")
    def hear(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if statement.startswith("SELECT") and 'cache_entries."key" IN' in statement:
            asked.append((statement, tuple(values)))

    catalog.record(Batch(entries=entries))
    catalog.evict(keys)
    assert len(asked) == 2
    for statement, values in asked:
        assert statement.endswith('ORDER BY cache_entries."key"')
        assert [value for value in values if value in keys] == ["a", "b", "c"]
